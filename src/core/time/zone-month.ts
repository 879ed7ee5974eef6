import type { Instant } from './instant.ts'

/** A calendar month, counted from January of the year 0. Which instants it has depends on the time zone. */
export type Month = number & { readonly brand: 'Month' }

/** How far the clocks of a time zone (an IANA name) are ahead of UTC at an instant, in milliseconds; west is negative. */
export type OffsetAt = (zone: string, at: Instant) => number

/** The time zone of accounts that have named none. */
export const UTC = 'UTC'

/** No zone is further from UTC than this: 14 hours in the east, 12 in the west. */
const OFFSET_BOUND = 24 * 3_600_000

/** The month that the calendars of a zone show at an instant. */
export function monthIn(zone: string, at: Instant, offsetAt: OffsetAt): Month {
  return monthOfUtc(zone === UTC ? at : at + offsetAt(zone, at))
}

/** The month that the calendars of every zone show, or undefined near the end of a month, where they differ. */
export function monthEverywhere(at: Instant): Month | undefined {
  const [first, last] = [monthOfUtc(at - OFFSET_BOUND), monthOfUtc(at + OFFSET_BOUND)]
  return first === last ? first : undefined
}

export function monthOfUtc(ms: number): Month {
  const date = new Date(ms)
  return (date.getUTCFullYear() * 12 + date.getUTCMonth()) as Month
}

const MONTH_TEXT = /^(\d{4})-(0[1-9]|1[0-2])$/

/** `2025-07`. */
export function formatMonth(month: Month): string {
  const year = String(Math.floor(month / 12)).padStart(4, '0')
  return `${year}-${String((month % 12) + 1).padStart(2, '0')}`
}

/** The month that `2025-07` names, or undefined for any other text. */
export function parseMonth(text: string): Month | undefined {
  const [, year, month] = MONTH_TEXT.exec(text) ?? []
  if (year === undefined || month === undefined) return undefined
  return (Number(year) * 12 + Number(month) - 1) as Month
}
