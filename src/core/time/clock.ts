import type { Instant } from './instant.ts'

/** More than this the database clock may not gain on a process's own measure of time between two looks. */
export const CLOCK_GAIN_MAX_MS = 5 * 60_000
/** A clock that went back, and within this time returns to where it was, has gained nothing. */
export const CLOCK_RETURN_MS_MAX = 60 * 60_000

/** What a look at the database clock has seen. */
export interface ClockReading {
  /** The database clock. */
  readonly now: Instant
  /** The process's own measure of time: from any beginning, and never set by anyone. */
  readonly elapsedMs: number
  /** What processes have agreed on so far. */
  readonly alarm: ClockAlarm | undefined
  /** How often an alarm has ended: by a clock that is right again, or by a person who says that it is. */
  readonly agreements: number
}

/** Some process has reason to think that the database clock is wrong. */
export interface ClockAlarm {
  /** What the clock showed when that was noticed; and what it should have shown. */
  readonly at: Instant
  readonly acceptedAt: Instant
  /**
   * By what it was noticed. `jump`: the process's own measure of time; `process`: the process's clock; `usage`: the times
   * of usage that arrives after a gap.
   */
  readonly kind: 'jump' | 'process' | 'usage'
}

/** What a process remembers of its looks. */
export interface ClockMemory {
  /** The database clock at its first look. */
  readonly firstNow: Instant
  /** By how much the clock is ahead of the process's own measure, as was agreed last. */
  readonly aheadMs: number
  /** The same before the clock went back, and for how long that counts. */
  readonly before: { readonly aheadMs: number; readonly untilMs: number } | undefined
  readonly agreements: number
  /** Has it taken over an alarm of others, because it is younger than the jump? */
  readonly adopted: boolean
}

export type ClockVerdict = 'right' | 'alarm begins' | 'alarmed' | 'alarm ends'

export interface ClockJudgement {
  readonly memory: ClockMemory
  readonly verdict: ClockVerdict
  /** By how much the clock has gained on the process; 0 or less: by nothing. */
  readonly gainMs: number
}

/** The gain of the clock since it was agreed on. */
export function clockGainMs(
  { aheadMs, before }: ClockMemory,
  { now, elapsedMs }: Pick<ClockReading, 'now' | 'elapsedMs'>,
): number {
  const agreed = before && elapsedMs < before.untilMs ? Math.max(aheadMs, before.aheadMs) : aheadMs
  return now - elapsedMs - agreed
}

/**
 * Judge the database clock by a process's own measure of time. The first look accepts the clock, unless it is in
 * alarm already: then the alarm is taken over. Slow drift is followed. An alarm ends when the gain is gone.
 */
export function judgeClock(memory: ClockMemory | undefined, reading: ClockReading): ClockJudgement {
  const { alarm, agreements } = reading
  if (memory === undefined || memory.agreements !== agreements) {
    const fresh = agree(memory, reading)
    return alarm ? adopt(fresh, reading, alarm) : { memory: fresh, verdict: 'right', gainMs: 0 }
  }
  const gainMs = clockGainMs(memory, reading)
  if (gainMs > CLOCK_GAIN_MAX_MS) return { memory, verdict: alarm ? 'alarmed' : 'alarm begins', gainMs }
  if (!alarm) return { memory: agree(memory, reading), verdict: 'right', gainMs }
  // A process that began after the jump has not seen it: it cannot know better than the one that has.
  const knowsBetter = memory.adopted || memory.firstNow <= alarm.acceptedAt
  if (!knowsBetter) return adopt(memory, reading, alarm)
  return { memory: { ...agree(memory, reading), adopted: false }, verdict: 'alarm ends', gainMs }
}

function agree(memory: ClockMemory | undefined, { now, elapsedMs, agreements }: ClockReading): ClockMemory {
  const aheadMs = now - elapsedMs
  const wentBack = memory !== undefined && memory.aheadMs - aheadMs > CLOCK_GAIN_MAX_MS
  const before = wentBack
    ? { aheadMs: memory.aheadMs, untilMs: elapsedMs + CLOCK_RETURN_MS_MAX }
    : memory?.before
  return { firstNow: memory?.firstNow ?? now, aheadMs, before, agreements, adopted: false }
}

function adopt(memory: ClockMemory, { now, elapsedMs }: ClockReading, alarm: ClockAlarm): ClockJudgement {
  const alarmedMs = alarm.at - alarm.acceptedAt
  const adopted = { ...memory, aheadMs: now - elapsedMs - alarmedMs, before: undefined, adopted: true }
  return { memory: adopted, verdict: 'alarmed', gainMs: alarmedMs }
}
