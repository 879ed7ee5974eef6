import { platform, uptime } from 'node:os'
import type pg from 'pg'
import {
  CLOCK_GAIN_MAX_MS,
  type ClockAlarm,
  clockGainMs,
  type ClockMemory,
  judgeClock,
} from '../../core/time/clock.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { heartbeatSession } from '../../store/heartbeat.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import {
  updateAcceptedClock,
  updateAcceptedClockAlone,
  updateClockAlarm,
  findClockWatch,
} from '../../store/clock.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { readWatermarks } from '../shared/read-deployment.ts'

export interface ClockWatch {
  /** Look at the database clock. @returns false while a clock alarm is open, raised by this process or another */
  look(sql: Sql): Promise<boolean>
  /** Is this reading of the clock what the last look leads to expect? Asked where it decides. */
  readonly accepts: (now: Instant) => boolean
}

/**
 * Watches the database clock by this process's own measure of time: sealing an hour is for good, so a clock that jumps
 * ahead must not seal hours that last still. An alarm is kept in the database, and counts for every process.
 */
export function makeClockWatch(log: Log, elapsed: () => number = elapsedMs): ClockWatch {
  let memory: ClockMemory | undefined
  let isAlarmed = false
  return {
    async look(sql) {
      const watch = await runOne(sql, findClockWatch, undefined)
      const { now } = await readWatermarks(sql)
      const judged = judgeClock(memory, {
        now,
        elapsedMs: elapsed(),
        alarm: undefined,
        agreements: 0,
        ...watch,
      })
      memory = judged.memory
      const { verdict, gainMs } = judged
      if (verdict === 'alarm begins') {
        await run(sql, updateClockAlarm, { at: now, acceptedAt: Math.round(now - gainMs) as Instant })
      }
      if (verdict === 'alarm ends') await run(sql, updateAcceptedClock, undefined)
      const alarmed = verdict === 'alarm begins' || verdict === 'alarmed'
      if (alarmed !== isAlarmed) say(log, alarmed, gainMs)
      isAlarmed = alarmed
      return !alarmed
    },
    accepts(now) {
      return memory === undefined || clockGainMs(memory, { now, elapsedMs: elapsed() }) <= CLOCK_GAIN_MAX_MS
    },
  }
}

function say(log: Log, isAlarmed: boolean, gainMs: number): void {
  if (!isAlarmed) return log.info({}, 'The database clock is accepted again: hours are sealed')
  log.warn(
    { gainSeconds: Math.round(gainMs / 1000) },
    'The database clock has jumped ahead: nothing is sealed until it is back, or until `farthing settle --clock-is-right`',
  )
}

/** The open clock alarm, if there is one: nothing is sealed then. */
export async function findClockAlarm(sql: Sql): Promise<ClockAlarm | undefined> {
  return (await runOne(sql, findClockWatch, undefined))?.alarm
}

/** A server begins: if no other process is there to know better, the clock is accepted as it is. */
export async function acceptClockAtStart(sql: Sql): Promise<void> {
  await run(sql, updateAcceptedClockAlone, { own: heartbeatSession() })
}

/**
 * A person has looked: the clock is right. Counts for every process.
 * @param actor who, for the audit log: `cli:maria`
 * @returns false when no alarm was open
 */
export function sayClockIsRight(pool: pg.Pool, actor: string): Promise<boolean> {
  return transaction(pool, async (client) => {
    const accepted = await runOne(client, updateAcceptedClock, undefined)
    if (accepted === undefined) return false
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
 * that is opened in the morning raises no alarm.
 */
function elapsedMs(): number {
  const awake = performance.now() - BEGUN.awake
  return platform() === 'linux' ? Math.max(awake, uptime() * 1000 - BEGUN.up) : awake
}

const BEGUN = { awake: performance.now(), up: uptime() * 1000 }
