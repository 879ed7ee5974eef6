import { accountMonths } from './account-months.ts'
import { type Hour, startOf } from './hour.ts'
import { firstHourOfDay, type LocalDay, localDay, MILLISECONDS_PER_DAY } from './local-day.ts'
import { type ZoneHistory, zoneOf } from './zone-history.ts'
import { type Month, monthIn, type OffsetAt } from './zone-month.ts'

/** Days and months as ranges of hours. Each hour is in exactly one day, and each day in exactly one month. */
export interface Calendar {
  readonly firstOfDay: (day: LocalDay) => Hour
  readonly firstOfMonth: (month: Month) => Hour
  readonly dayOf: (hour: Hour) => LocalDay
  readonly monthOf: (hour: Hour) => Month
}

/** The calendar of a time zone: a day or month takes an hour by the hour's first instant there. */
export function zoneCalendar(zone: string, offsetAt: OffsetAt): Calendar {
  const starts = new Map<LocalDay, Hour>()
  const firstOfDay = (day: LocalDay) => {
    const known = starts.get(day)
    if (known !== undefined) return known
    const first = firstHourOfDay(zone, day, offsetAt)
    starts.set(day, first)
    return first
  }
  const firstOfMonth = (month: Month) => firstOfDay(firstDay(month))
  return {
    firstOfDay,
    firstOfMonth,
    dayOf: (hour) => lastBegun(hour, localDay(zone, startOf(hour), offsetAt), firstOfDay),
    monthOf: (hour) => lastBegun(hour, monthIn(zone, startOf(hour), offsetAt), firstOfMonth),
  }
}

/**
 * The calendar of an account, whose months are those of its bills: a month begins in the zone that is in force for it, and what
 * is stored of it holds. Its days are those of the same zone, cut to the month: where the zone changes the last day of
 * the month before is longer or shorter.
 * @param stored first hours, by month
 */
export function accountCalendar(
  history: ZoneHistory,
  stored: ReadonlyMap<Month, Hour>,
  offsetAt: OffsetAt,
): Calendar {
  const months = accountMonths(history, stored, offsetAt)
  const firsts = new Map<Month, Hour>()
  const firstOfMonth = (month: Month) => {
    const first = firsts.get(month) ?? months.firstOf(month)
    firsts.set(month, first)
    return first
  }
  const zones = new Map<string, Calendar>()
  const calendarOf = (zone: string) => {
    const known = zones.get(zone) ?? zoneCalendar(zone, offsetAt)
    zones.set(zone, known)
    return known
  }
  const firstOfDay = (day: LocalDay) => {
    const month = monthOfDay(day)
    if (day === firstDay(month)) return firstOfMonth(month)
    const first = calendarOf(zoneOf(history, month)).firstOfDay(day)
    return between(firstOfMonth(month), first, firstOfMonth((month + 1) as Month))
  }
  const monthOf = (hour: Hour) => lastBegun(hour, monthIn('UTC', startOf(hour), offsetAt), firstOfMonth)
  return {
    firstOfDay,
    firstOfMonth,
    monthOf,
    dayOf(hour) {
      const zone = zoneOf(history, monthOf(hour))
      return lastBegun(hour, localDay(zone, startOf(hour), offsetAt), firstOfDay)
    },
  }
}

/** The last day or month that has begun at an hour. @param near one that is not far from it */
function lastBegun<Unit extends number>(hour: Hour, near: Unit, firstOf: (unit: Unit) => Hour): Unit {
  let unit = near
  while (firstOf(unit) > hour) unit = (unit - 1) as Unit
  while (firstOf((unit + 1) as Unit) <= hour) unit = (unit + 1) as Unit
  return unit
}

function between(least: Hour, hour: Hour, most: Hour): Hour {
  return Math.min(Math.max(least, hour), most) as Hour
}

/** The first day of a month. */
export function firstDay(month: Month): LocalDay {
  const date = new Date(0)
  date.setUTCFullYear(Math.floor(month / 12), month % 12, 1)
  return (date.getTime() / MILLISECONDS_PER_DAY) as LocalDay
}

export function monthOfDay(day: LocalDay): Month {
  const date = new Date(day * MILLISECONDS_PER_DAY)
  return (date.getUTCFullYear() * 12 + date.getUTCMonth()) as Month
}

export type Window = 'hour' | 'day' | 'month' | 'none'

/** Adjoining ranges of hours: that of number `base + n` is [starts[n], starts[n + 1]). Some may have no hour. */
export interface Windows {
  readonly base: number
  readonly starts: readonly Hour[]
}

/**
 * The windows of a calendar in [from, to), the first and the last of them cut to it. They are numbered: hours as hours, days and
 * months as such, and the one window `none` as 0.
 */
export function windowsOf(calendar: Calendar, window: Window, from: Hour, to: Hour): Windows {
  if (window === 'none' || from >= to) return { base: 0, starts: [from, to] }
  if (window === 'day') return cut(calendar.dayOf(from), calendar.firstOfDay, from, to)
  if (window === 'month') return cut(calendar.monthOf(from), calendar.firstOfMonth, from, to)
  return cut(from, (hour) => hour, from, to)
}

function cut<Unit extends number>(base: Unit, firstOf: (unit: Unit) => Hour, from: Hour, to: Hour): Windows {
  const starts = [from]
  for (let unit = (base + 1) as Unit; firstOf(unit) < to; unit = (unit + 1) as Unit)
    starts.push(firstOf(unit))
  return { base, starts: [...starts, to] }
}

/** The number of the window that an hour is in. */
export function windowAt({ base, starts }: Windows, hour: Hour): number | undefined {
  if (hour < starts[0]! || hour >= starts.at(-1)!) return undefined
  let [low, high] = [0, starts.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= hour) low = middle
    else high = middle
  }
  return base + low
}
