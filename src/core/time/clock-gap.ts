import type { Instant } from './instant.ts'

/** More than this the database clock and a process's own clock may not differ. */
export const CLOCK_DIFFERENCE_MAX_MS = 5 * 60_000
/** A clock that no process has seen for longer than this may have been set meanwhile. */
export const CLOCK_GAP_MAX_MS = 60 * 60_000
/** After such a gap usage confirms the clock if some of it is no older than this. */
export const USAGE_BEHIND_MAX_MS = 60 * 60_000
/** What the clock shows is noted when it has moved on by this much. */
export const CLOCK_SEEN_MS = 60_000

/** Nobody has seen the clock for a while: live hours are sealed from `until` on. */
export interface ClockDelay {
  /** What the clock showed when it was last seen. */
  readonly since: Instant
  /** What it showed when it was seen again. Half-open: [from, until). */
  readonly from: Instant
  readonly until: Instant
}

/** Does sealing wait? A clock that has been set back to before the delay is judged again. */
export function isDelayed(delay: ClockDelay | undefined, now: Instant): boolean {
  return delay !== undefined && delay.from <= now && now < delay.until
}

export interface ClockSeen {
  readonly now: Instant
  /** What the clock showed when it was last seen. */
  readonly seenAt: Instant
  readonly delay: ClockDelay | undefined
}

/** @returns the delay that begins; `delayed`: one is in force; `seen`: the clock is as expected */
export function judgeGap(
  { now, seenAt, delay }: ClockSeen,
  graceMs: number,
): ClockDelay | 'delayed' | 'seen' {
  if (isDelayed(delay, now)) return 'delayed'
  // A delay that was waited out has ended in sight of a person.
  const last = delay && delay.until <= now ? (Math.max(seenAt, delay.until) as Instant) : seenAt
  if (now - last <= CLOCK_GAP_MAX_MS) return 'seen'
  return { since: last, from: now, until: (now + graceMs) as Instant }
}

/**
 * What live usage that has come since a gap says about the clock. Usage from before the gap says nothing: it may be old
 * on purpose, or have waited at its sender.
 * @param newestAt the newest time of such usage
 * @returns `fresh`: some is of the last hour; `behind`: all of it lies between the gap's beginning and the last hour
 */
export function judgeUsage(
  newestAt: Instant | undefined,
  now: Instant,
  since: Instant,
): 'none' | 'fresh' | 'behind' {
  if (newestAt === undefined) return 'none'
  if (now - newestAt <= USAGE_BEHIND_MAX_MS) return 'fresh'
  return newestAt >= since - CLOCK_DIFFERENCE_MAX_MS ? 'behind' : 'none'
}

export interface OwnClock {
  /** This process's clock before it asked for the database's, and after. */
  readonly before: number
  readonly after: number
}

/** By how much the database clock is ahead of a process's own; 0 where the question's duration explains it. */
export function differenceMs(now: Instant, { before, after }: OwnClock): number {
  if (now > after) return now - after
  return Math.min(now - before, 0)
}

/** Is the difference small, or the one that a person has accepted? */
export function isDifferenceAccepted(ms: number, acceptedMs: number | undefined): boolean {
  return [0, acceptedMs ?? 0].some((expected) => Math.abs(ms - expected) <= CLOCK_DIFFERENCE_MAX_MS)
}
