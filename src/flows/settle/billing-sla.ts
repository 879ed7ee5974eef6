import { endOf, hourOf } from '../../core/time/hour.ts'
import type { Watermarks } from '../../store/deployment.ts'

/** Rule R11: bills come within one hour after their hour's end. */
export const BILLS_WITHIN_MS = 60 * 60_000
/** An hour without its bills is in danger from then on: half of the time is left to act. */
export const DANGER_MS = 30 * 60_000

/** For how long the oldest hour without bills has ended; 0 when every hour that has ended has its bills. */
export function unsettledMs({ now, settledUntil }: Pick<Watermarks, 'now' | 'settledUntil'>): number {
  return Math.max(now - endOf(settledUntil), 0)
}

/** Hours that have ended at least the grace period ago, and have no bills yet. */
export function hoursDue({ now, settledUntil, sealedUntil }: Watermarks, graceMs: number): number {
  const due = Math.max(hourOf((now - graceMs) as Watermarks['now']), sealedUntil)
  return Math.max(due - settledUntil, 0)
}

/** From the end of an hour until its bills, or until now. */
export function isLate(lagMs: number): boolean {
  return lagMs > BILLS_WITHIN_MS
}

export function isInDanger(lagMs: number): boolean {
  return lagMs > DANGER_MS
}
