import {
  type Calendar,
  type Window,
  type Windows,
  windowsOf,
  zoneCalendar,
} from '../../core/time/calendar.ts'
import type { Hour } from '../../core/time/hour.ts'
import { UTC } from '../../core/time/zone-month.ts'
import type { Tags } from '../../store/account-profile.ts'
import { type AccountTags, listAccountTags } from '../../store/usage-accounts.ts'
import type { AccountPlace } from '../../store/usage.ts'
import { run, type Sql } from '../../store/query.ts'
import { offsetAt } from '../accounts/time-zones.ts'
import type { AskUsage, UsageRefused } from './usage-ask.ts'
import {
  accountCalendars,
  CALENDARS_MAX,
  type HoursOf,
  hoursIn,
  PLACED_ACCOUNTS_MAX,
} from './usage-calendars.ts'

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

/**
 * Find out what the accounts of a question have of their own.
 * @param hoursOf those of a calendar that are asked for
 */
export async function readPlaces(
  sql: Sql,
  ask: AskUsage,
  hoursOf: HoursOf = (calendar) => hoursIn(calendar, ask.range),
): Promise<{ readonly ok: true; readonly places: Places } | UsageRefused> {
  const asked = { account: ask.account, limit: PLACED_ACCOUNTS_MAX + 1 }
  const tagged = ask.tags.length + ask.tagFilters.length === 0 ? [] : await run(sql, listAccountTags, asked)
  if (tagged.length > PLACED_ACCOUNTS_MAX) return tooMany('usage/too_many_tagged_accounts')
  const calendars =
    ask.timeZone === 'account' ? await accountCalendars(sql, ask.account) : { own: [], indexOf: new Map() }
  if (calendars === undefined) return tooMany('usage/too_many_calendars')
  const tags = tagPlaces(ask, tagged)
  const shared = zoneCalendar(ask.timeZone === 'account' ? UTC : ask.timeZone, offsetAt)
  const windows = windowsIn(shared, ask.window, hoursOf)
  const ownWindows = calendars.own.map((calendar) => windowsIn(calendar, ask.window, hoursOf))
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

function windowsIn(calendar: Calendar, window: Window, hoursOf: HoursOf): Windows {
  const { from, to } = hoursOf(calendar)
  return windowsOf(calendar, window, from, to)
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
