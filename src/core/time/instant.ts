/**
 * An instant: whole milliseconds since 1970-01-01T00:00Z, UTC. Finer digits on the wire are floored, so an
 * event at 02:59:59.9999999 belongs to hour 2 (PostgreSQL would round it into hour 3).
 */
export type Instant = number & { readonly brand: 'Instant' }

export type InstantRefusal = 'not_rfc3339' | 'no_offset' | 'not_a_date' | 'too_fine'

/** Digits of a second that a time may have. RFC 3339 has no limit; clocks have at most 18, and languages write some 30. */
export const SECOND_DIGITS_MAX = 100

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))?$/

/**
 * Read an RFC 3339 time with an offset and any number of fraction digits up to SECOND_DIGITS_MAX, floored to the
 * millisecond.
 *
 * Second 60 is refused: a leap second has no instant of its own here, and moving it over the hour would
 * change a bill. A time without an offset is refused: it would depend on who reads it.
 */
export function parseInstant(text: string): Instant | InstantRefusal {
  const match = RFC3339.exec(text)
  if (!match) return 'not_rfc3339'
  const [, year, month, day, hour, minute, second, fraction = '', zulu, sign, offsetHour, offsetMinute] =
    match
  if (zulu === undefined && sign === undefined) return 'no_offset'
  if (+hour! > 23 || +minute! > 59 || +second! > 59) return 'not_a_date'
  if (sign !== undefined && (+offsetHour! > 23 || +offsetMinute! > 59)) return 'not_a_date'
  const millisecond = millisecondsOf(fraction)
  if (millisecond === undefined) return 'too_fine'
  const local = new Date(0)
  local.setUTCFullYear(+year!, +month! - 1, +day!)
  local.setUTCHours(+hour!, +minute!, +second!, millisecond)
  if (local.getUTCMonth() !== +month! - 1 || local.getUTCDate() !== +day!) return 'not_a_date'
  const offset = sign === undefined ? 0 : (+offsetHour! * 60 + +offsetMinute!) * 60_000
  return (local.getTime() - (sign === '-' ? -offset : offset)) as Instant
}

/**
 * The milliseconds that the digits after the point of a second say, floored.
 * @returns undefined for more than SECOND_DIGITS_MAX digits
 */
export function millisecondsOf(fraction: string): number | undefined {
  return fraction.length > SECOND_DIGITS_MAX ? undefined : +fraction.padEnd(3, '0').slice(0, 3)
}

/** RFC 3339 in UTC with milliseconds, `2025-07-28T03:00:00.000Z`: the one form in which instants leave. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString()
}
