import type { Hour } from '../time/hour.ts'

/** Hours of a source that are remembered: a week before any hour of the last day. */
export const PRESENCE_HOURS = 192

const DAY = 24
const DAYS = 7
/** Of the 24 hours before. */
const USUAL_HOURS = 20
/** Of the same hour on the 7 days before. */
const USUAL_DAYS = 6

/** In which hours a source has reported. */
export interface Presence {
  readonly lastHour: Hour
  /** Bit k, from 0: it has events of the hour `lastHour - k`. */
  readonly hours: bigint
}

/**
 * Is a source expected to report in an hour, by the hours before it? It is if it did in at least 20 of the 24 hours
 * before, the same hour of yesterday among them; or in that hour on at least 6 of the 7 days before. So a source that
 * rests at night is not missed there, and a new one is watched after a day.
 * @param hour later than the last one in which it reported
 */
export function isExpected(presence: Presence, hour: Hour): boolean {
  const did = (hoursAgo: number) => reportedIn(presence, (hour - hoursAgo) as Hour)
  const lastDay = count(DAY, (index) => did(index + 1))
  if (lastDay >= USUAL_HOURS && did(DAY)) return true
  return count(DAYS, (index) => did((index + 1) * DAY)) >= USUAL_DAYS
}

function reportedIn({ lastHour, hours }: Presence, hour: Hour): boolean {
  const back = lastHour - hour
  return back >= 0 && ((hours >> BigInt(back)) & 1n) === 1n
}

function count(of: number, is: (index: number) => boolean): number {
  return Array.from({ length: of }, (_, index) => is(index)).filter(Boolean).length
}
