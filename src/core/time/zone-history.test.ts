import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { statementMonth } from '../bill/statement-month.ts'
import { hourOf } from './hour.ts'
import type { Instant } from './instant.ts'
import { monthOf, withZone, type ZoneHistory } from './zone-history.ts'
import { formatMonth, monthEverywhere, monthIn, type OffsetAt, parseMonth } from './zone-month.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/** By the calendar of the machine, for zones of today's rules. */
const offsetAt: OffsetAt = (zone, at) => {
  const known = formats.get(zone)
  const format =
    known ?? new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset', year: 'numeric' })
  formats.set(zone, format)
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')!.value
  const [, sign, hours, minutes, seconds = '0'] = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name) ?? []
  if (sign === undefined) return 0
  return (sign === '-' ? -1000 : 1000) * (+hours! * 3600 + +minutes! * 60 + +seconds)
}

function instant(text: string): Instant {
  return Date.parse(text) as Instant
}

/** `Asia/Tokyo 2025-09, Europe/Paris 2026-01`. */
function backfillOf(text: string): ZoneHistory {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [zone, month] = part.trim().split(' ')
      return { zone: zone!, fromMonth: parseMonth(month!)! }
    })
}

function textOf(history: ZoneHistory): string {
  return history.map(({ zone, fromMonth }) => `${zone} ${formatMonth(fromMonth)}`).join(', ')
}

describe('a bill is in the month of its first instant, in the time zone of the account', () => {
  // Summer time: Paris +2, New York -4, Sydney +11 in October. Kiritimati is +14, Etc/GMT+12 is -12 all year.
  const rows = table<'zones' | 'hour' | 'month'>(`
    zones                                          | hour                 | month
                                                   | 2025-07-31T23:00:00Z | 2025-07
                                                   | 2025-08-01T00:00:00Z | 2025-08
    Asia/Shanghai 2025-01                          | 2025-07-31T15:00:00Z | 2025-07
    Asia/Shanghai 2025-01                          | 2025-07-31T16:00:00Z | 2025-08
    Asia/Kolkata 2025-01                           | 2025-07-31T18:00:00Z | 2025-07
    Asia/Kolkata 2025-01                           | 2025-07-31T19:00:00Z | 2025-08
    America/New_York 2025-01                       | 2025-08-01T03:00:00Z | 2025-07
    America/New_York 2025-01                       | 2025-08-01T04:00:00Z | 2025-08
    America/New_York 2025-01                       | 2025-12-01T04:00:00Z | 2025-11
    America/New_York 2025-01                       | 2025-12-01T05:00:00Z | 2025-12
    Europe/Paris 2025-01                           | 2025-03-31T21:00:00Z | 2025-03
    Europe/Paris 2025-01                           | 2025-03-31T22:00:00Z | 2025-04
    Europe/Paris 2025-01                           | 2025-10-31T22:00:00Z | 2025-10
    Europe/Paris 2025-01                           | 2025-10-31T23:00:00Z | 2025-11
    Australia/Sydney 2025-01                       | 2025-10-31T12:00:00Z | 2025-10
    Australia/Sydney 2025-01                       | 2025-10-31T13:00:00Z | 2025-11
    Pacific/Kiritimati 2025-01                     | 2025-02-28T09:00:00Z | 2025-02
    Pacific/Kiritimati 2025-01                     | 2025-02-28T10:00:00Z | 2025-03
    Etc/GMT+12 2024-01                             | 2024-03-01T11:00:00Z | 2024-02
    Etc/GMT+12 2024-01                             | 2024-03-01T12:00:00Z | 2024-03
    Pacific/Kiritimati 2025-01                     | 2025-12-31T10:00:00Z | 2026-01
    Asia/Tokyo 2025-09                             | 2025-08-31T14:00:00Z | 2025-08
    Asia/Tokyo 2025-09                             | 2025-08-31T15:00:00Z | 2025-09
    Asia/Tokyo 2025-09                             | 2025-07-31T23:00:00Z | 2025-07
    America/New_York 2025-09                       | 2025-09-01T03:00:00Z | 2025-08
    America/New_York 2025-09                       | 2025-09-01T04:00:00Z | 2025-09
    America/New_York 2025-09                       | 2025-08-01T00:00:00Z | 2025-08
    Asia/Tokyo 2025-03, America/New_York 2025-09   | 2025-03-31T15:00:00Z | 2025-04
    Asia/Tokyo 2025-03, America/New_York 2025-09   | 2025-08-31T15:00:00Z | 2025-08
    Asia/Tokyo 2025-03, America/New_York 2025-09   | 2025-09-01T04:00:00Z | 2025-09
    Pacific/Kiritimati 2025-03, Etc/GMT+12 2025-09 | 2025-09-01T11:00:00Z | 2025-08
    Pacific/Kiritimati 2025-03, Etc/GMT+12 2025-09 | 2025-09-01T12:00:00Z | 2025-09
    Etc/GMT+12 2025-03, Pacific/Kiritimati 2025-09 | 2025-08-31T09:00:00Z | 2025-08
    Etc/GMT+12 2025-03, Pacific/Kiritimati 2025-09 | 2025-08-31T10:00:00Z | 2025-09`)
  for (const { zones, hour, month } of rows) {
    test(`${zones || 'UTC'}: the hour from ${hour} is in ${month}`, () => {
      expect(statementMonth(hourOf(instant(hour)), backfillOf(zones), offsetAt)).toBe(month)
    })
  }
})

describe('a new time zone counts from the next month that has begun in neither zone', () => {
  const rows = table<'before' | 'now' | 'zone' | 'after'>(`
    before                                  | now                  | zone               | after
                                            | 2025-07-10T00:00:00Z | Asia/Tokyo         | Asia/Tokyo 2025-08
                                            | 2025-07-31T14:59:59Z | Asia/Tokyo         | Asia/Tokyo 2025-08
                                            | 2025-07-31T15:00:00Z | Asia/Tokyo         | Asia/Tokyo 2025-09
                                            | 2025-08-01T00:00:00Z | America/New_York   | America/New_York 2025-09
                                            | 2025-07-31T23:59:59Z | America/New_York   | America/New_York 2025-08
                                            | 2025-12-31T09:59:59Z | Pacific/Kiritimati | Pacific/Kiritimati 2026-01
                                            | 2025-12-31T10:00:00Z | Pacific/Kiritimati | Pacific/Kiritimati 2026-02
                                            | 2025-07-10T00:00:00Z | UTC                |
    Asia/Tokyo 2025-03                      | 2025-07-10T00:00:00Z | Asia/Tokyo         | Asia/Tokyo 2025-03
    Asia/Tokyo 2025-03                      | 2025-07-10T00:00:00Z | Europe/Paris       | Asia/Tokyo 2025-03, Europe/Paris 2025-08
    Asia/Tokyo 2025-03                      | 2025-07-31T16:00:00Z | Europe/Paris       | Asia/Tokyo 2025-03, Europe/Paris 2025-09
    Asia/Tokyo 2025-08                      | 2025-07-10T00:00:00Z | Europe/Paris       | Europe/Paris 2025-08
    Asia/Tokyo 2025-08                      | 2025-07-10T00:00:00Z | UTC                |
    Asia/Tokyo 2025-03, Europe/Paris 2025-08 | 2025-07-10T00:00:00Z | Asia/Tokyo        | Asia/Tokyo 2025-03
    Pacific/Honolulu 2025-09                | 2025-09-01T05:00:00Z | Europe/Paris       | Pacific/Honolulu 2025-09, Europe/Paris 2025-10
    Asia/Tokyo 2025-09                      | 2025-08-31T14:00:00Z | Pacific/Kiritimati | Asia/Tokyo 2025-09, Pacific/Kiritimati 2025-10`)
  for (const { before, now, zone, after } of rows) {
    test(`${before || 'UTC'}, at ${now}: ${zone}`, () => {
      expect(textOf(withZone(backfillOf(before), zone, instant(now), offsetAt))).toBe(after)
    })
  }
})

const ZONES = ['UTC', 'Asia/Tokyo', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Kiritimati', 'Etc/GMT+12']
const HOUR_MS = 3_600_000
/** Around a year's month ends, where zones differ. */
const hours = fc
  .tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: -30, max: 30 }))
  .map(([month, hour]) => (Date.UTC(2025, month, 1) + hour * HOUR_MS) as Instant)

test('whatever zones follow each other, no month changes that an instant had when it was now', () => {
  const changes = fc.array(fc.tuple(fc.constantFrom(...ZONES), hours), { maxLength: 6 })
  fc.assert(
    fc.property(changes, fc.array(hours, { minLength: 1, maxLength: 20 }), (steps, asked) => {
      const events = [
        ...steps.map(([zone, at]) => ({ at, zone })),
        ...asked.map((at) => ({ at, zone: undefined })),
      ].sort((a, b) => a.at - b.at)
      let history: ZoneHistory = []
      const billed: [Instant, number][] = []
      for (const { at, zone } of events) {
        if (zone !== undefined) history = withZone(history, zone, at, offsetAt)
        else billed.push([at, monthOf(history, at, offsetAt)])
      }
      for (const [at, month] of billed) expect(monthOf(history, at, offsetAt)).toBe(month)
      // Months follow each other: none is left out, none comes twice.
      const months = billed.map(([, month]) => month)
      expect(months).toEqual(months.toSorted((a, b) => a - b))
    }),
  )
})

test('away from the end of a month all zones agree, and nobody has to be asked', () => {
  for (let hour = 0; hour < 24 * 62; hour += 5) {
    const at = (Date.UTC(2025, 0, 1) + hour * HOUR_MS) as Instant
    const certain = monthEverywhere(at)
    if (certain === undefined) continue
    for (const zone of ZONES) expect(monthIn(zone, at, offsetAt)).toBe(certain)
  }
  expect(formatMonth(monthEverywhere(instant('2025-01-15T00:00:00Z'))!)).toBe('2025-01')
  expect(monthEverywhere(instant('2025-01-31T12:00:00Z'))).toBeUndefined()
})

test('months are written and read as 2025-07', () => {
  expect(formatMonth(parseMonth('2025-07')!)).toBe('2025-07')
  for (const text of ['2025-13', '2025-00', '2025-7', '', '2025-07-01'])
    expect(parseMonth(text)).toBeUndefined()
})
