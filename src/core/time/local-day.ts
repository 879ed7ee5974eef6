import { type Hour, startOf } from './hour.ts'
import type { Instant } from './instant.ts'
import { type OffsetAt, UTC } from './zone-month.ts'

/** A date of a calendar, counted in days from 1970-01-01. Which hours it has depends on the time zone. */
export type LocalDay = number & { readonly brand: 'LocalDay' }

export const MILLISECONDS_PER_DAY = 86_400_000
const DAY_HOURS = 24
/** No zone is further from UTC, also with a day that it has left out. */
const SEARCHED_HOURS = 48

/** The date that the calendars of a zone show at an instant. */
export function localDay(zone: string, at: Instant, offsetAt: OffsetAt): LocalDay {
  return Math.floor((zone === UTC ? at : at + offsetAt(zone, at)) / MILLISECONDS_PER_DAY) as LocalDay
}

/** The first hour whose first instant is on a date or after it. */
export function firstHourOfDay(zone: string, day: LocalDay, offsetAt: OffsetAt): Hour {
  const midnight = (day * DAY_HOURS) as Hour
  if (zone === UTC) return midnight
  const hasBegun = (hour: Hour) => localDay(zone, startOf(hour), offsetAt) >= day
  // Nearly always: the clocks are as far from UTC at midnight as they are at that time in UTC.
  const offset = offsetAt(zone, startOf(midnight))
  const likely = Math.ceil((day * MILLISECONDS_PER_DAY - offset) / (MILLISECONDS_PER_DAY / DAY_HOURS)) as Hour
  if (hasBegun(likely) && !hasBegun((likely - 1) as Hour)) return likely
  let [low, high] = [midnight - SEARCHED_HOURS, midnight + SEARCHED_HOURS]
  while (low < high) {
    const hour = Math.floor((low + high) / 2) as Hour
    if (hasBegun(hour)) high = hour
    else low = hour + 1
  }
  return low as Hour
}

const DAY_TEXT = /^(\d{4})-(\d{2})-(\d{2})$/

/** The date that `2025-07-28` names, or undefined for any other text. */
export function parseDay(text: string): LocalDay | undefined {
  if (!DAY_TEXT.test(text)) return undefined
  const at = Date.parse(`${text}T00:00:00.000Z`)
  if (Number.isNaN(at)) return undefined
  const day = (at / MILLISECONDS_PER_DAY) as LocalDay
  return formatDay(day) === text ? day : undefined
}

/** `2025-07-28`. */
export function formatDay(day: LocalDay): string {
  return new Date(day * MILLISECONDS_PER_DAY).toISOString().slice(0, 10)
}
