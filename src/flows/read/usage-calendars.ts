import { groupBy } from '../../core/group-by.ts'
import { accountCalendar, type Calendar } from '../../core/time/calendar.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { LocalDay } from '../../core/time/local-day.ts'
import type { Month } from '../../core/time/zone-month.ts'
import { zonesText } from '../../store/account-profile.ts'
import { listAccountMonths } from '../../store/rate-positions.ts'
import { listZonedAccounts } from '../../store/usage-accounts.ts'
import { run, type Sql } from '../../store/query.ts'
import { offsetAt } from '../accounts/time-zones.ts'
import type { AskedRange, RangeEnd } from './usage-ask.ts'

/** Accounts with a time zone or a tag, of one question about all accounts: some megabytes. */
export const PLACED_ACCOUNTS_MAX = 100_000
/** Different calendars of accounts in one question: each has windows of its own. */
export const CALENDARS_MAX = 200

/** Hours in [from, to). */
export interface Hours {
  readonly from: Hour
  readonly to: Hour
}

export type HoursOf = (calendar: Calendar) => Hours

/** The hours of a range in a calendar. */
export function hoursIn(calendar: Calendar, range: AskedRange): Hours {
  const from = hourIn(calendar, range.from)
  return { from, to: Math.max(from, hourIn(calendar, range.to)) as Hour }
}

export function hourIn(calendar: Calendar, end: RangeEnd): Hour {
  if (end.kind === 'hour') return end.hour
  return end.kind === 'day' ? calendar.firstOfDay(end.day) : calendar.firstOfMonth(end.month)
}

/**
 * The hours of the period before a range: as many months, dates or hours. Of a period that runs, the same number of hours from the
 * start of the one before.
 * @param until the first hour that has not begun
 */
export function hoursBefore(calendar: Calendar, range: AskedRange, until: Hour): Hours {
  const { from, to } = hoursIn(calendar, range)
  const { start, end } = periodBefore(calendar, range, { from, to })
  const isRunning = until < to || end !== to
  const hours = Math.max(0, Math.min(until, to) - from)
  return { from: start, to: isRunning ? (Math.min(start + hours, from) as Hour) : from }
}

/** Where the period before begins, and where the one that the range is in ends. */
function periodBefore(
  calendar: Calendar,
  { from: first }: AskedRange,
  { from, to }: Hours,
): { readonly start: Hour; readonly end: Hour } {
  if (first.kind === 'hour') return { start: Math.max(0, from - (to - from)) as Hour, end: to }
  const firstOf = (count: number) =>
    first.kind === 'day'
      ? calendar.firstOfDay((first.day + count) as LocalDay)
      : calendar.firstOfMonth((first.month + count) as Month)
  let count = 1
  while (firstOf(count) < to) count += 1
  return { start: firstOf(-count), end: firstOf(count) }
}

export interface Calendars {
  readonly own: readonly Calendar[]
  readonly indexOf: ReadonlyMap<string, number>
}

/** The calendars of accounts that have named a time zone: equal ones once. All others have the months of UTC. */
export async function accountCalendars(
  sql: Sql,
  account: string | undefined,
): Promise<Calendars | undefined> {
  const zoned = await run(sql, listZonedAccounts, { account, limit: PLACED_ACCOUNTS_MAX + 1 })
  if (zoned.length > PLACED_ACCOUNTS_MAX) return undefined
  const stored = groupBy(await run(sql, listAccountMonths, zoned), (row) => row.account)
  const own: Calendar[] = []
  const known = new Map<string, number>()
  const indexOf = new Map<string, number>()
  for (const { account: name, timeZones } of zoned) {
    const firsts = new Map<Month, Hour>((stored.get(name) ?? []).map(({ month, first }) => [month, first]))
    const text = `${zonesText(timeZones)} ${[...firsts].sort(([a], [b]) => a - b).join(' ')}`
    let index = known.get(text)
    if (index === undefined) {
      index = own.push(accountCalendar(timeZones, firsts, offsetAt)) - 1
      known.set(text, index)
    }
    indexOf.set(name, index)
    if (own.length > CALENDARS_MAX) return undefined
  }
  return { own, indexOf }
}
