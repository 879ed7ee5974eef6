import { formatInstant, type InstantRefusal, parseInstant } from '../../../time/instant.ts'
import { endOf, type Hour, hourOf, startOf } from '../../../time/hour.ts'
import { type Field, kindOf, placeOf, refuse } from './read-field.ts'

/** Times of a price book lie in [1970-01-01T00Z, 10000-01-01T00Z): UTC, four digits of a year. */
const FIRST_HOUR = 0 as Hour
const LAST_HOUR = Date.UTC(9999, 11, 31, 23) / 3_600_000

const EXAMPLE = 'write RFC 3339 with an offset, such as "2025-07-28T11:00:00+08:00"'

const REFUSED: Record<InstantRefusal, string> = {
  not_rfc3339: 'is not an RFC 3339 time',
  no_offset: 'has no offset from UTC',
  not_a_date: 'is not in the calendar',
  too_fine: 'has too many digits of a second',
}

/**
 * The hour that begins at a time of the price book. Prices change on the hour only (R13), so that an hour's
 * usage has one price. An offset of half an hour is fine if the instant is a full hour of UTC.
 * @returns undefined after `price_book/not_a_time` or `price_book/not_on_the_hour`
 */
export function readHour(field: Field): Hour | undefined {
  const { value } = field
  if (typeof value !== 'string') {
    return refuse(
      field,
      'price_book/not_a_time',
      `${placeOf(field)} is ${kindOf(value)}, not a time.`,
      EXAMPLE,
    )
  }
  const at = parseInstant(value)
  if (typeof at !== 'number') {
    const message = `${placeOf(field)} is ${kindOf(value)}, which ${REFUSED[at]}.`
    return refuse(field, 'price_book/not_a_time', message, EXAMPLE)
  }
  const hour = hourOf(at)
  if (hour < FIRST_HOUR || hour > LAST_HOUR) {
    const message = `${placeOf(field)} is not between the years 1970 and 9999 of UTC.`
    return refuse(field, 'price_book/not_a_time', message, 'write a time in that range')
  }
  // The text is asked too: finer digits than milliseconds were floored away.
  if (startOf(hour) === at && !/\.0*[1-9]/.test(value)) return hour
  const around = `${formatInstant(startOf(hour))} or ${formatInstant(endOf(hour))}`
  const message = `${placeOf(field)} is not the start of an hour of UTC.`
  return refuse(field, 'price_book/not_on_the_hour', message, `write ${around.replaceAll('.000Z', 'Z')}`)
}
