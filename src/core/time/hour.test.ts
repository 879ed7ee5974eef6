import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { endOf, formatHour, formatHourStart, type Hour, hourOf, next, parseHour, startOf } from './hour.ts'
import { type Instant, parseInstant } from './instant.ts'

for (const { at, hour, because } of table<'at' | 'hour' | 'because'>(`
  at                       | hour           | because
  2025-07-28T02:59:59.999Z | 2025-07-28T02Z | the last millisecond
  2025-07-28T03:00:00.000Z | 2025-07-28T03Z | the end belongs to the next hour
  1970-01-01T00:00:00.000Z | 1970-01-01T00Z |
  1969-12-31T23:59:59.999Z | 1969-12-31T23Z | floored, not cut, below zero
  2025-07-28T11:59:59+08:00 | 2025-07-28T03Z | hours are those of UTC
  2025-07-28T11:29:59+05:30 | 2025-07-28T05Z | also where clocks differ by half an hour
`)) {
  test(`${at} is in hour ${hour}: ${because}`, () => {
    expect(formatHour(hourOf(parseInstant(at) as Instant))).toBe(hour)
  })
}

const anyHour = fc.integer({ min: 0, max: 70_000_000 }).map((hour) => hour as Hour)

// Guarantee: every instant is in exactly one hour. Ranges are half-open.
test('an hour begins with its start and ends before its end', () => {
  fc.assert(
    fc.property(anyHour, (hour) => {
      expect(hourOf(startOf(hour))).toBe(hour)
      expect(hourOf((endOf(hour) - 1) as Instant)).toBe(hour)
      expect(hourOf(endOf(hour))).toBe(next(hour))
      expect(startOf(next(hour))).toBe(endOf(hour))
    }),
  )
})

test('an hour is read back from its text', () => {
  fc.assert(
    fc.property(anyHour, (hour) => {
      expect(parseHour(formatHour(hour))).toBe(hour)
      expect(parseInstant(formatHourStart(hour))).toBe(startOf(hour))
    }),
  )
})

for (const { text, because } of table<'text' | 'because'>(`
  text                 | because
  2025-02-29T00Z       | no such day
  2025-07-28T24Z       | no such hour
  2025-13-01T00Z       | no such month
  2025-07-28T3Z        | two digits
  2025-07-28T03        | no zone
  2025-07-28T03:00Z    | not the form of an hour
  12025-07-28T03Z      |
                       |
`)) {
  test(`"${text}" is not an hour. ${because}`, () => {
    expect(parseHour(text)).toBeUndefined()
  })
}
