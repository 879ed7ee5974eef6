import type { Instant } from './instant.ts'

/**
 * An hour of UTC, counted from 1970-01-01T00:00Z: the half-open range [startOf, endOf). It is the billing
 * cycle (R11). An integer everywhere, so that code and SQL cannot disagree on truncation.
 */
export type Hour = number & { readonly brand: 'Hour' }

export const MILLISECONDS_PER_HOUR = 3_600_000

/** The hour that contains an instant: 02:59:59.999 belongs to hour 2, 03:00:00.000 to hour 3. */
export function hourOf(at: Instant): Hour {
  return Math.floor(at / MILLISECONDS_PER_HOUR) as Hour
}

/** The first instant of the hour. */
export function startOf(hour: Hour): Instant {
  return (hour * MILLISECONDS_PER_HOUR) as Instant
}

/** The first instant after the hour: the start of the next one. */
export function endOf(hour: Hour): Instant {
  return startOf(next(hour))
}

export function next(hour: Hour): Hour {
  return (hour + 1) as Hour
}

/** `2025-07-28T03:00:00Z`: the first instant of the hour, in RFC 3339, as APIs and digests show it. */
export function formatHourStart(hour: Hour): string {
  if (hour !== formatted.hour) {
    const text = `${new Date(hour * MILLISECONDS_PER_HOUR).toISOString().slice(0, 19)}Z`
    formatted = { hour, text }
  }
  return formatted.text
}

/** The text made last: the lines of an hour's bills ask for the same one a million times. */
let formatted: { readonly hour: Hour | undefined; readonly text: string } = { hour: undefined, text: '' }

const HOUR_TEXT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2})Z$/

/** `2025-07-28T03Z`: for people, ids and tables. */
export function formatHour(hour: Hour): string {
  return `${new Date(hour * MILLISECONDS_PER_HOUR).toISOString().slice(0, 13)}Z`
}

/** The hour that `2025-07-28T03Z` names, or undefined when the text is not an hour of the calendar. */
export function parseHour(text: string): Hour | undefined {
  if (!HOUR_TEXT.test(text)) return undefined
  const at = Date.parse(`${text.slice(0, 13)}:00:00.000Z`)
  if (Number.isNaN(at)) return undefined
  const hour = hourOf(at as Instant)
  return formatHour(hour) === text ? hour : undefined
}
