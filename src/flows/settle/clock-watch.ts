import { platform, uptime } from 'node:os'
import type pg from 'pg'
import {
  CLOCK_GAIN_MAX_MS,
  type ClockAlarm,
  type ClockJudgement,
  clockGainMs,
  type ClockMemory,
  judgeClock,
} from '../../core/time/clock.ts'
import {
  CLOCK_SEEN_MS,
  type ClockDelay,
  differenceMs,
  isDelayed,
  isDifferenceAccepted,
  judgeGap,
  judgeUsage,
} from '../../core/time/clock-gap.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { heartbeatSession } from '../../store/heartbeat.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import {
  type ClockWatchRow,
  findClockWatch,
  updateAcceptedClock,
  updateClockAlarm,
  updateClockDelay,
  updateClockIsRight,
  updateClockSeen,
  updateClockSetBackAlone,
} from '../../store/clock.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { alarmText, delayText } from './clock-words.ts'

export interface ClockWatch {
  /** Look at the database clock. @returns false while a clock alarm is open, raised by this process or another */
  look(sql: Sql): Promise<boolean>
  /** Is this reading of the clock what the last look leads to expect? Asked where it decides. Before the first look: no. */
  readonly accepts: (now: Instant) => boolean
}

export interface ClockWatchOptions {
  /** After a gap live hours wait for this long. */
  readonly graceMs: number
  /** The process's own measure of time. */
  readonly elapsed?: () => number
  /** The process's own clock; null: it is not compared, because it may be that of anybody's machine. */
  readonly ownClock?: (() => number) | null
}

/** Nothing is sealed; live hours are not sealed yet; or all is well. */
export interface ClockState {
  readonly alarm: ClockAlarm | undefined
  readonly delay: ClockDelay | undefined
}

/**
 * Watches the database clock by this process's own measure of time and its own clock, and by when processes have seen it
 * last: sealing an hour is for good, so a clock that is ahead must not seal hours that last still. An alarm and a delay are
 * kept in the database, and count for every process.
 */
export function makeClockWatch(
  log: Log,
  { graceMs, elapsed = elapsedMs, ownClock = Date.now }: ClockWatchOptions,
): ClockWatch {
  let memory: ClockMemory | undefined
  let said: 'alarm' | 'delay' | undefined
  return {
    async look(sql) {
      const watch = (await runOne(sql, findClockWatch, undefined))!
      const before = ownClock?.()
      const { now } = await readWatermarks(sql)
      const own = before === undefined ? undefined : { before, after: ownClock!() }
      const ahead = own ? differenceMs(now, own) : 0
      // An alarm by a process's clock says nothing about jumps.
      const alarm = watch.alarm?.kind === 'process' ? undefined : watch.alarm
      const { agreements } = watch
      const judged = judgeClock(memory, { now, elapsedMs: elapsed(), alarm, agreements })
      const isChanged = await act(sql, { watch, now, ahead, isCompared: own !== undefined, judged, graceMs })
      // Only now: a reading is accepted when what this look has found is known to all.
      memory = judged.memory
      const { alarm: open, delay } = isChanged ? await readClockState(sql) : stateOf(watch, now)
      const news = open ? 'alarm' : delay ? 'delay' : undefined
      if (news !== said) say(log, open, delay)
      said = news
      return open === undefined
    },
    accepts(now) {
      return memory !== undefined && clockGainMs(memory, { now, elapsedMs: elapsed() }) <= CLOCK_GAIN_MAX_MS
    },
  }
}

interface Looked {
  readonly watch: ClockWatchRow
  readonly now: Instant
  /** By how much the database clock is ahead of the process's. */
  readonly ahead: number
  readonly isCompared: boolean
  readonly judged: ClockJudgement
  readonly graceMs: number
}

/** Raise or end an alarm, or begin a delay. @returns whether anything was done */
async function act(sql: Sql, looked: Looked): Promise<boolean> {
  const { watch, now, ahead, judged } = looked
  if (judged.verdict === 'alarm begins') {
    await raise(sql, looked, 'jump', now - judged.gainMs)
  } else if (watch.alarm) {
    if (!isOver(looked)) return false
    await run(sql, updateAcceptedClock, undefined)
  } else if (!isDifferenceAccepted(ahead, watch.acceptedDifferenceMs)) {
    await raise(sql, looked, 'process', now - ahead)
  } else {
    return lookAtGap(sql, looked)
  }
  return true
}

function raise(sql: Sql, { now, ahead }: Looked, kind: ClockAlarm['kind'], right: number) {
  const acceptedAt = Math.round(right) as Instant
  const by = heartbeatSession()
  return run(sql, updateClockAlarm, { at: now, acceptedAt, kind, by, differenceMs: Math.round(ahead) })
}

/** Is the reason of the open alarm gone? */
function isOver({ watch, now, ahead, isCompared, judged }: Looked): boolean {
  const { alarm, delay, acceptedDifferenceMs, newestUsageAt } = watch
  if (alarm?.kind === 'process') {
    // Only the process that raised it can tell, or any when it is gone: others have other clocks.
    const canTell = isCompared && (alarm.by === heartbeatSession() || alarm.isOrphaned)
    return canTell && isDifferenceAccepted(ahead, acceptedDifferenceMs)
  }
  const isFresh = delay && judgeUsage(newestUsageAt, now, delay.since) === 'fresh'
  return judged.verdict === 'alarm ends' || (alarm?.kind === 'usage' && isFresh === true)
}

async function lookAtGap(sql: Sql, looked: Looked): Promise<boolean> {
  const { watch, now, graceMs } = looked
  const { delay, seenAt, isNoted, newestUsageAt } = watch
  const gap = judgeGap({ now, seenAt, delay }, graceMs)
  if (gap === 'seen') {
    if (isNoted && delay === undefined && Math.abs(now - seenAt) < CLOCK_SEEN_MS) return false
    await run(sql, updateClockSeen, { at: now })
  } else if (gap === 'delayed') {
    if (judgeUsage(newestUsageAt, now, delay!.since) !== 'behind') return false
    await raise(sql, looked, 'usage', newestUsageAt!)
  } else {
    await run(sql, updateClockDelay, gap)
  }
  return true
}

function say(log: Log, alarm: ClockAlarm | undefined, delay: ClockDelay | undefined): void {
  if (alarm) {
    const gainSeconds = Math.round((alarm.at - alarm.acceptedAt) / 1000)
    log.warn({ gainSeconds, reason: alarmText(alarm) }, ALARM_LINES[alarm.kind])
  } else if (delay) {
    log.warn({ reason: delayText(delay) }, 'Nobody has seen the database clock for a while: sealing waits')
  } else {
    log.info({}, 'The database clock is accepted again: hours are sealed')
  }
}

const ALARM_LINES: Readonly<Record<ClockAlarm['kind'], string>> = {
  jump: 'The database clock has jumped ahead: nothing is sealed until it is back, or until `farthing settle --clock-is-right`',
  process:
    'The database clock and the clock of a process differ: nothing is sealed until they agree, or until `farthing settle --clock-is-right`',
  usage:
    'Usage that arrives is far behind the database clock: nothing is sealed until some is of the last hour, or until `farthing settle --clock-is-right`',
}

/** The open clock alarm, or the delay that is in force. */
export async function readClockState(sql: Sql): Promise<ClockState> {
  const watch = (await runOne(sql, findClockWatch, undefined))!
  const { now } = await readWatermarks(sql)
  return stateOf(watch, now)
}

function stateOf({ alarm, delay }: ClockWatchRow, now: Instant): ClockState {
  return { alarm, delay: isDelayed(delay, now) ? delay : undefined }
}

/**
 * A server begins: if no other process is there to know better, and the clock shows an earlier time than when an alarm was
 * raised, it was set back, and the alarm ends. Any other alarm stays: a restart is no reason to accept a clock.
 */
export async function judgeClockAtStart(sql: Sql): Promise<void> {
  await run(sql, updateClockSetBackAlone, { own: heartbeatSession() })
}

/**
 * A person has looked: the clock is right. Counts for every process.
 * @param actor who, for the audit log: `cli:maria`
 * @returns false when no alarm was open, and no delay was noted
 */
export function sayClockIsRight(pool: pg.Pool, actor: string): Promise<boolean> {
  return transaction(pool, async (client) => {
    const accepted = await runOne(client, updateClockIsRight, undefined)
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
