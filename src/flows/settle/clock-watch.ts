import { platform, uptime } from 'node:os'
import type pg from 'pg'
import {
  CLOCK_GAIN_MAX_MS,
  type ClockDoubt,
  clockGainMs,
  type ClockMemory,
  judgeClock,
} from '../../core/time/clock.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { lifeSession } from '../../store/life.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import {
  updateAcceptedClock,
  updateAcceptedClockAlone,
  updateClockAlarm,
  findClockWatch,
} from '../../store/clock.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { findMarks } from '../shared/read-deployment.ts'

export interface ClockWatch {
  /** Look at the database clock. @returns false while it is doubted, by this process or another */
  look(sql: Sql): Promise<boolean>
  /** Is this reading of the clock what the last look leads to expect? Asked where it decides. */
  readonly believes: (now: Instant) => boolean
}

/**
 * Watches the database clock by this process's own measure of time: sealing an hour is for good, so a clock that jumps
 * ahead must not seal hours that last still. A doubt is kept in the database, and counts for every process.
 */
export function makeClockWatch(log: Log, elapsed: () => number = elapsedMs): ClockWatch {
  let memory: ClockMemory | undefined
  let isDoubted = false
  return {
    async look(sql) {
      const watch = await runOne(sql, findClockWatch, undefined)
      const { now } = await findMarks(sql)
      const judged = judgeClock(memory, {
        now,
        elapsedMs: elapsed(),
        doubt: undefined,
        agreements: 0,
        ...watch,
      })
      memory = judged.memory
      const { verdict, gainMs } = judged
      if (verdict === 'doubt begins') {
        await run(sql, updateClockAlarm, { at: now, believedAt: Math.round(now - gainMs) as Instant })
      }
      if (verdict === 'doubt ends') await run(sql, updateAcceptedClock, undefined)
      const doubted = verdict === 'doubt begins' || verdict === 'doubted'
      if (doubted !== isDoubted) say(log, doubted, gainMs)
      isDoubted = doubted
      return !doubted
    },
    believes(now) {
      return memory === undefined || clockGainMs(memory, { now, elapsedMs: elapsed() }) <= CLOCK_GAIN_MAX_MS
    },
  }
}

function say(log: Log, isDoubted: boolean, gainMs: number): void {
  if (!isDoubted) return log.info({}, 'The database clock is believed again: hours are sealed')
  log.warn(
    { gainSeconds: Math.round(gainMs / 1000) },
    'The database clock has jumped ahead: nothing is sealed until it is back, or until `farthing settle --clock-is-right`',
  )
}

/** The doubt about the database clock, if there is one: nothing is sealed then. */
export async function findClockDoubt(sql: Sql): Promise<ClockDoubt | undefined> {
  return (await runOne(sql, findClockWatch, undefined))?.doubt
}

/** A server begins: if no other process is there to know better, the clock is believed as it is. */
export async function believeClockAtStart(sql: Sql): Promise<void> {
  await run(sql, updateAcceptedClockAlone, { own: lifeSession() })
}

/**
 * A person has looked: the clock is right. Counts for every process.
 * @param actor who, for the audit log: `cli:maria`
 * @returns false when nobody doubted it
 */
export function sayClockIsRight(pool: pg.Pool, actor: string): Promise<boolean> {
  return transaction(pool, async (client) => {
    const believed = await runOne(client, updateAcceptedClock, undefined)
    if (believed === undefined) return false
    await run(client, insertAuditEntry, {
      actor,
      act: 'settle/clock-is-right',
      account: null,
      detail: 'The database clock is right: hours are sealed again.',
    })
    return true
  })
}

/**
 * Milliseconds since some beginning, which no one can set. On Linux the time that the machine slept counts, so a laptop
 * that is opened in the morning doubts nothing.
 */
function elapsedMs(): number {
  const awake = performance.now() - BEGUN.awake
  return platform() === 'linux' ? Math.max(awake, uptime() * 1000 - BEGUN.up) : awake
}

const BEGUN = { awake: performance.now(), up: uptime() * 1000 }
