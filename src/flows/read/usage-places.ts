import { groupBy } from '../../core/group-by.ts'
import {
  accountCalendar,
  type Calendar,
  type Windows,
  windowsOf,
  zoneCalendar,
} from '../../core/time/calendar.ts'
import type { Hour } from '../../core/time/hour.ts'
import { type Month, UTC } from '../../core/time/zone-month.ts'
import { type AccountTags, listAccountTags, listZonedAccounts } from '../../store/usage-accounts.ts'
import { type Tags, zonesText } from '../../store/account-profile.ts'
import { listAccountMonths } from '../../store/rate-positions.ts'
import type { AccountPlace } from '../../store/usage.ts'
import { run, type Sql } from '../../store/query.ts'
import { offsetAt } from '../accounts/time-zones.ts'
import type { AskedRange, AskUsage, RangeEnd, UsageRefused } from './usage-ask.ts'

/** Accounts with a time zone or a tag, of one question about all accounts: some megabytes. */
export const PLACED_ACCOUNTS_MAX = 100_000
/** Different calendars of accounts in one question: each has windows of its own. */
export const CALENDARS_MAX = 200

/** Where in time and among tags the accounts of a question are. */
export interface Places {
  /** The hours that all windows lie in. */
  readonly from: Hour
  readonly to: Hour
  /** Of accounts that have none of their own; of the only account. */
  readonly windows: Windows
  /** Is the question about one account? */
  readonly isOne: boolean
  readonly ownWindows: readonly Windows[]
  readonly special: ReadonlyMap<string, AccountPlace>
  /** The values of the tags that were asked for, by number; null: the account has no such tag. */
  readonly tagValues: readonly (readonly (string | null)[])[]
  /** Only these accounts; undefined: all. */
  readonly only: readonly string[] | undefined
  readonly without: readonly string[]
}

/** Find out what the accounts of a question have of their own. */
export async function readPlaces(
  sql: Sql,
  ask: AskUsage,
): Promise<{ readonly ok: true; readonly places: Places } | UsageRefused> {
  const asked = { account: ask.account, limit: PLACED_ACCOUNTS_MAX + 1 }
  const tagged = ask.tags.length + ask.tagFilters.length === 0 ? [] : await run(sql, listAccountTags, asked)
  if (tagged.length > PLACED_ACCOUNTS_MAX) return tooMany('usage/too_many_tagged_accounts')
  const calendars =
    ask.timeZone === 'account' ? await accountCalendars(sql, ask.account) : { own: [], indexOf: new Map() }
  if (calendars === undefined) return tooMany('usage/too_many_calendars')
  const tags = tagPlaces(ask, tagged)
  const shared = zoneCalendar(ask.timeZone === 'account' ? UTC : ask.timeZone, offsetAt)
  const windows = windowsIn(shared, ask)
  const ownWindows = calendars.own.map((calendar) => windowsIn(calendar, ask))
  const isOne = ask.account !== undefined
  const all = isOne && ownWindows.length > 0 ? ownWindows : [windows, ...ownWindows]
  const special = new Map<string, AccountPlace>()
  for (const account of new Set([...calendars.indexOf.keys(), ...tags.numberOf.keys()])) {
    const place = { windows: calendars.indexOf.get(account), tags: tags.numberOf.get(account) ?? 0 }
    special.set(account, { account, ...place })
  }
  const from = Math.min(...all.map(({ starts }) => starts[0]!)) as Hour
  const to = Math.max(...all.map(({ starts }) => starts.at(-1)!)) as Hour
  return {
    ok: true,
    places: {
      from,
      to: Math.max(from, to) as Hour,
      windows: isOne ? (ownWindows[0] ?? windows) : windows,
      isOne,
      ownWindows,
      special,
      tagValues: tags.values,
      only: tags.only,
      without: tags.without,
    },
  }
}

function tooMany(code: 'usage/too_many_tagged_accounts' | 'usage/too_many_calendars'): UsageRefused {
  const detail =
    code === 'usage/too_many_calendars'
      ? `More than ${PLACED_ACCOUNTS_MAX} accounts have a time zone, or more than ${CALENDARS_MAX} have different ones: send an IANA name as timeZone, or ask for one account.`
      : `More than ${PLACED_ACCOUNTS_MAX} accounts have these tags: ask for one account, or leave the tags out.`
  return { ok: false, code, detail }
}

function windowsIn(calendar: Calendar, { range, window }: AskUsage): Windows {
  const { from, to } = hoursIn(calendar, range)
  return windowsOf(calendar, window, from, to)
}

/** The hours of a range in a calendar. */
export function hoursIn(calendar: Calendar, range: AskedRange): { readonly from: Hour; readonly to: Hour } {
  const from = hourIn(calendar, range.from)
  return { from, to: Math.max(from, hourIn(calendar, range.to)) as Hour }
}

function hourIn(calendar: Calendar, end: RangeEnd): Hour {
  if (end.kind === 'hour') return end.hour
  return end.kind === 'day' ? calendar.firstOfDay(end.day) : calendar.firstOfMonth(end.month)
}

interface Calendars {
  readonly own: readonly Calendar[]
  readonly indexOf: ReadonlyMap<string, number>
}

/** The calendars of accounts that have named a time zone: equal ones once. All others have the months of UTC. */
async function accountCalendars(sql: Sql, account: string | undefined): Promise<Calendars | undefined> {
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

interface TagPlaces extends Pick<Places, 'only' | 'without'> {
  readonly values: readonly (readonly (string | null)[])[]
  readonly numberOf: ReadonlyMap<string, number>
}

function tagPlaces({ tags, tagFilters }: AskUsage, tagged: readonly AccountTags[]): TagPlaces {
  const values: (readonly (string | null)[])[] = [tags.map(() => null)]
  const numbers = new Map<string, number>([[JSON.stringify(values[0]), 0]])
  const numberOf = new Map<string, number>()
  for (const account of tagged) {
    const own = tags.map((name) => valueOf(account.tags, name))
    const text = JSON.stringify(own)
    const number = numbers.get(text) ?? values.push(own) - 1
    numbers.set(text, number)
    numberOf.set(account.account, number)
  }
  const fits = (own: Tags) =>
    tagFilters.every(({ name, values: wanted }) => wanted.includes(valueOf(own, name) ?? ''))
  const isOpen = fits({})
  const listed = tagged.filter((account) => fits(account.tags) !== isOpen).map(({ account }) => account)
  return { values, numberOf, only: isOpen ? undefined : listed, without: isOpen ? listed : [] }
}

/** A tag may be named as something that every object has. */
function valueOf(tags: Tags, name: string): string | null {
  return Object.hasOwn(tags, name) ? tags[name]! : null
}
