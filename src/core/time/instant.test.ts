import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { hourOf } from './hour.ts'
import { formatInstant, type Instant, parseInstant, SECOND_DIGITS_MAX } from './instant.ts'

for (const { text, instant, because } of table<'text' | 'instant' | 'because'>(`
  text                                | instant                  | because
  2025-07-28T03:00:00Z                | 2025-07-28T03:00:00.000Z |
  2025-07-28t03:00:00z                | 2025-07-28T03:00:00.000Z | RFC 3339 allows small letters
  2025-07-28T11:00:00+08:00           | 2025-07-28T03:00:00.000Z | the price change of R13
  2025-07-28T02:59:59.9999999Z        | 2025-07-28T02:59:59.999Z | floored: stays in its hour
  2025-07-28T02:59:59.999999999Z      | 2025-07-28T02:59:59.999Z | nanoseconds just below the hour
  2025-07-28T02:59:59.0009999Z        | 2025-07-28T02:59:59.000Z | floored, not rounded
  2025-07-28T02:59:59.9999999999Z     | 2025-07-28T02:59:59.999Z | ten digits
  2025-07-28T02:59:59.123456789012345678901234567890Z | 2025-07-28T02:59:59.123Z | thirty digits
  2025-07-28T02:59:59.999999999999999999999999999999+00:00 | 2025-07-28T02:59:59.999Z | thirty nines stay below the hour
  2025-07-28T03:00:00.000000000000000000000000000001Z | 2025-07-28T03:00:00.000Z | and so little more stays at it
  2025-07-28T02:59:59.5Z              | 2025-07-28T02:59:59.500Z | one digit is tenths
  2025-07-28T02:59:59.05Z             | 2025-07-28T02:59:59.050Z |
  2024-02-29T00:00:00Z                | 2024-02-29T00:00:00.000Z | a leap year
  2000-02-29T23:59:59Z                | 2000-02-29T23:59:59.000Z | a leap year by the rule of 400
  2025-07-28T00:10:00+00:30           | 2025-07-27T23:40:00.000Z | the offset moves it over the end of an hour and a day
  2025-07-27T23:50:00-00:30           | 2025-07-28T00:20:00.000Z | and the other way
  2025-12-31T23:30:00-01:00           | 2026-01-01T00:30:00.000Z | over the end of a year
  2025-03-01T00:00:00+00:01           | 2025-02-28T23:59:00.000Z | over the end of February
  2025-07-28T03:00:00-00:00           | 2025-07-28T03:00:00.000Z | RFC 3339: an unknown local offset
  2025-07-28T03:00:00+23:59           | 2025-07-27T03:01:00.000Z | the largest offset
  0000-01-01T00:00:00Z                | 0000-01-01T00:00:00.000Z | year 0 is a year, and not 1900
  0099-12-31T23:59:59Z                | 0099-12-31T23:59:59.000Z | year 99 is not 1999
  9999-12-31T23:59:59.999Z            | 9999-12-31T23:59:59.999Z |
`)) {
  test(`${text} is ${instant}. ${because}`, () => {
    const at = parseInstant(text)
    expect(at).toBeTypeOf('number')
    expect(formatInstant(at as Instant)).toBe(instant)
  })
}

for (const { text, refusal, because } of table<'text' | 'refusal' | 'because'>(`
  text                           | refusal     | because
  2025-07-28T03:00:00            | no_offset   | it would depend on who reads it
  2025-07-28T03:00:00.123        | no_offset   |
  2016-12-31T23:59:60Z           | not_a_date  | a leap second has no instant of its own
  2025-07-28T03:00:60Z           | not_a_date  | nor within an hour
  2025-07-28T03:00:61Z           | not_a_date  |
  2025-07-28T24:00:00Z           | not_a_date  | it is 00:00 of the next day
  2025-07-28T03:60:00Z           | not_a_date  |
  2025-02-29T00:00:00Z           | not_a_date  | not a leap year
  1900-02-29T00:00:00Z           | not_a_date  | not a leap year by the rule of 100
  2025-04-31T00:00:00Z           | not_a_date  |
  2025-00-10T00:00:00Z           | not_a_date  |
  2025-13-10T00:00:00Z           | not_a_date  |
  2025-07-00T00:00:00Z           | not_a_date  |
  2025-07-32T00:00:00Z           | not_a_date  |
  2025-07-28T03:00:00+24:00      | not_a_date  |
  2025-07-28T03:00:00+08:60      | not_a_date  |
  2025-07-28 03:00:00Z           | not_rfc3339 | no T
  2025-07-28T03:00Z              | not_rfc3339 | no seconds
  2025-07-28                     | not_rfc3339 |
  2025-7-28T03:00:00Z            | not_rfc3339 |
  20250728T030000Z               | not_rfc3339 | ISO 8601, not RFC 3339
  2025-07-28T03:00:00+0800       | not_rfc3339 | no colon in the offset
  2025-07-28T03:00:00+08         | not_rfc3339 |
  2025-07-28T03:00:00.Z          | not_rfc3339 | no digit after the point
  2025-07-28T03:00:00,5Z         | not_rfc3339 |
  +002025-07-28T03:00:00Z        | not_rfc3339 |
  1753671600                     | not_rfc3339 | a count of seconds
  now                            | not_rfc3339 |
                                 | not_rfc3339 |
`)) {
  test(`${text || 'the empty text'} is refused as ${refusal}. ${because}`, () => {
    expect(parseInstant(text)).toBe(refusal)
  })
}

test('a second may have up to SECOND_DIGITS_MAX digits after the point', () => {
  const at = (digits: number) => parseInstant(`2025-07-28T03:00:00.${'1'.repeat(digits)}Z`)
  expect(at(SECOND_DIGITS_MAX)).toBe(Date.parse('2025-07-28T03:00:00.111Z'))
  expect(at(SECOND_DIGITS_MAX + 1)).toBe('too_fine')
  expect(at(1_000_000)).toBe('too_fine')
})

test('white space and line ends are refused', () => {
  for (const text of [' 2025-07-28T03:00:00Z', '2025-07-28T03:00:00Z\n', '2025-07-28T03:00:00Z ']) {
    expect(parseInstant(text)).toBe('not_rfc3339')
  }
})

const anyDate = fc.date({ min: new Date(0), max: new Date('9998-12-31T00:00:00Z'), noInvalidDate: true })
const two = (n: number) => String(n).padStart(2, '0')

// Guarantee: a valid time means what the platform's calendar says, with every offset and any number of digits.
test('reading a time agrees with Date', () => {
  const anyOffset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 })
  fc.assert(
    fc.property(anyDate, anyOffset, fc.stringMatching(/^\d{0,97}$/), (date, offset, finer) => {
      const local = date.toISOString().slice(0, -1)
      const size = Math.abs(offset)
      const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
      expect(parseInstant(`${local}${finer}${zone}`)).toBe(Date.parse(`${local}${zone}`))
    }),
  )
})

// Guarantee: finer digits than milliseconds never move an event into another hour.
test('any fraction of the last second of an hour stays in the hour', () => {
  fc.assert(
    fc.property(anyDate, fc.stringMatching(/^\d{1,100}$/), (date, fraction) => {
      const at = parseInstant(`${date.toISOString().slice(0, 13)}:59:59.${fraction}Z`)
      expect(hourOf(at as Instant)).toBe(hourOf(date.getTime() as Instant))
    }),
  )
})

// Guarantee: an instant that we show can be sent back, and is the same instant.
test('formatting and reading are inverse', () => {
  fc.assert(
    fc.property(anyDate, (date) => {
      expect(parseInstant(formatInstant(date.getTime() as Instant))).toBe(date.getTime())
    }),
  )
})
