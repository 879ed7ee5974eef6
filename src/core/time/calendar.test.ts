import { describe, expect, test } from 'vitest'
import { accountCalendar, firstDay, monthOfDay, windowAt, windowsOf, zoneCalendar } from './calendar.ts'
import { type Hour, hourOf, startOf } from './hour.ts'
import type { Instant } from './instant.ts'
import { formatDay, type LocalDay, parseDay } from './local-day.ts'
import { monthOf, type ZoneHistory } from './zone-history.ts'
import { formatMonth, type Month, type OffsetAt, parseMonth } from './zone-month.ts'

/** How far a zone is ahead of UTC, said by its calendar: an oracle of this test's own. */
const offsetAt: OffsetAt = (zone, at) => {
  const key = `${zone} ${at}`
  const text = shown.get(key) ?? new Date(at).toLocaleString('sv-SE', { timeZone: zone })
  shown.set(key, text)
  return Date.parse(`${text.replace(' ', 'T')}Z`) - Math.floor(at / 1000) * 1000
}
const shown = new Map<string, string>()

const date = (zone: string, hour: Hour) =>
  new Date(startOf(hour)).toLocaleString('sv-SE', { timeZone: zone }).slice(0, 10)

const hourAt = (text: string) => hourOf(Date.parse(text) as Instant)
const day = (text: string) => parseDay(text)!
const month = (text: string) => parseMonth(text)!

const ZONES: readonly (readonly [zone: string, around: string, what: string])[] = [
  ['Asia/Shanghai', '2025-07-01', 'no change'],
  ['America/New_York', '2025-03-09', 'forward'],
  ['America/New_York', '2025-11-02', 'back'],
  ['Asia/Kolkata', '2025-07-01', 'half an hour'],
  ['Asia/Kathmandu', '2025-07-01', 'three quarters'],
  ['Australia/Lord_Howe', '2025-04-06', 'back by half an hour'],
  ['Australia/Lord_Howe', '2025-10-05', 'forward by half an hour'],
  ['Pacific/Apia', '2011-12-30', 'a day that there was not'],
  ['Africa/Cairo', '2025-04-25', 'forward at midnight'],
  ['America/Havana', '2025-11-02', 'back at one'],
  ['America/St_Johns', '2006-10-29', 'back at one past midnight'],
  ['UTC', '2024-02-29', 'a leap day'],
]

describe('a day of a time zone', () => {
  test.each(ZONES)('has the hours whose first instant is on it: %s around %s, %s', (zone, around) => {
    const calendar = zoneCalendar(zone, offsetAt)
    const middle = hourAt(`${around}T00:00:00Z`)
    for (let hour = (middle - 60) as Hour; hour < middle + 60; hour = (hour + 1) as Hour) {
      expect([hour, formatDay(calendar.dayOf(hour))]).toEqual([hour, date(zone, hour)])
    }
  })

  test.each(ZONES)(
    'begins where the one before ends, and months do so with it: %s around %s',
    (zone, around) => {
      const calendar = zoneCalendar(zone, offsetAt)
      for (let one = (day(around) - 40) as LocalDay; one < day(around) + 40; one = (one + 1) as LocalDay) {
        const [first, end] = [calendar.firstOfDay(one), calendar.firstOfDay((one + 1) as LocalDay)]
        expect(first).toBeLessThanOrEqual(end)
        if (first < end) expect(calendar.dayOf((end - 1) as Hour)).toBe(one)
        if (one === firstDay(monthOfDay(one))) expect(calendar.firstOfMonth(monthOfDay(one))).toBe(first)
      }
    },
  )

  test('that the clocks have left out has no hour', () => {
    const calendar = zoneCalendar('Pacific/Apia', offsetAt)
    expect(calendar.firstOfDay(day('2011-12-30'))).toBe(calendar.firstOfDay(day('2011-12-31')))
    expect(formatDay(calendar.dayOf(hourAt('2011-12-30T09:00:00Z')))).toBe('2011-12-29')
    expect(formatDay(calendar.dayOf(hourAt('2011-12-30T10:00:00Z')))).toBe('2011-12-31')
  })
})

const HISTORIES: Readonly<Record<string, ZoneHistory>> = {
  'far east to far west': [
    { fromMonth: month('2025-03'), zone: 'Pacific/Apia' },
    { fromMonth: month('2025-05'), zone: 'Pacific/Honolulu' },
  ],
  'far west to far east': [
    { fromMonth: month('2025-03'), zone: 'Pacific/Honolulu' },
    { fromMonth: month('2025-05'), zone: 'Pacific/Kiritimati' },
  ],
  'a half-hour zone to another, over changes of clocks': [
    { fromMonth: month('2025-03'), zone: 'Asia/Kolkata' },
    { fromMonth: month('2025-04'), zone: 'Australia/Lord_Howe' },
    { fromMonth: month('2025-05'), zone: 'America/New_York' },
  ],
}

describe('an account whose time zone changes', () => {
  test.each(Object.entries(HISTORIES))(
    'has each hour in one day, and each day in one month: %s',
    (_, history) => {
      const calendar = accountCalendar(history, new Map(), offsetAt)
      let before = (hourAt('2025-02-01T00:00:00Z') - 1) as Hour
      for (
        let hour = (before + 1) as Hour;
        hour < hourAt('2025-06-10T00:00:00Z');
        hour = (hour + 1) as Hour
      ) {
        const [own, of] = [calendar.dayOf(hour), calendar.monthOf(hour)]
        expect([hour, formatMonth(of)]).toEqual([
          hour,
          formatMonth(monthOf(history, startOf(hour), offsetAt)),
        ])
        expect([hour, monthOfDay(own)]).toEqual([hour, of])
        expect(calendar.firstOfDay(own)).toBeLessThanOrEqual(hour)
        expect(calendar.firstOfDay((own + 1) as LocalDay)).toBeGreaterThan(hour)
        expect(own - calendar.dayOf(before)).toBeLessThanOrEqual(2)
        before = hour
      }
    },
  )

  test('has the months that are stored, whatever the rules of its zone say now', () => {
    const history = [{ fromMonth: month('2025-03'), zone: 'Asia/Kolkata' }]
    const first = hourAt('2025-03-31T21:00:00Z')
    const calendar = accountCalendar(history, new Map<Month, Hour>([[month('2025-04'), first]]), offsetAt)
    expect(calendar.firstOfMonth(month('2025-04'))).toBe(first)
    expect(calendar.firstOfDay(day('2025-04-01'))).toBe(first)
    expect(formatDay(calendar.dayOf((first - 1) as Hour))).toBe('2025-03-31')
    expect(formatDay(calendar.dayOf(first))).toBe('2025-04-01')
  })
})

describe('windows', () => {
  const calendar = zoneCalendar('Asia/Kolkata', offsetAt)
  const [from, to] = [hourAt('2025-06-30T20:00:00Z'), hourAt('2025-08-01T03:00:00Z')]

  test.each(['hour', 'day', 'month', 'none'] as const)('by %s adjoin, and hold the whole range', (window) => {
    const windows = windowsOf(calendar, window, from, to)
    expect([windows.starts[0], windows.starts.at(-1)]).toEqual([from, to])
    expect(windows.starts).toEqual(windows.starts.toSorted((a, b) => a - b))
    for (let hour = from; hour < to; hour = (hour + 1) as Hour) {
      const number = windowAt(windows, hour)!
      const wanted = { hour, day: calendar.dayOf(hour), month: calendar.monthOf(hour), none: 0 }[window]
      expect(number).toBe(wanted)
    }
    expect(windowAt(windows, (from - 1) as Hour)).toBeUndefined()
    expect(windowAt(windows, to)).toBeUndefined()
  })
})
