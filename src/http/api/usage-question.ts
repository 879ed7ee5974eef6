import { USAGE_GROUPS_MAX, type UsageQuery } from '../../api/usage.ts'
import { type Window, zoneCalendar } from '../../core/time/calendar.ts'
import { hourOf, MILLISECONDS_PER_HOUR } from '../../core/time/hour.ts'
import { parseDay } from '../../core/time/local-day.ts'
import { parseMonth, UTC } from '../../core/time/zone-month.ts'
import { offsetAt, readTimeZone } from '../../flows/accounts/time-zones.ts'
import {
  type AskUsage,
  type Ranking,
  type RangeEnd,
  type TagFilter,
  USAGE_GROUPS,
  type UsageGroup,
} from '../../flows/read/read-usage.ts'
import { hourIn } from '../../flows/read/usage-calendars.ts'
import { invalidParameter, readInstant, requireShort } from './parameters.ts'

/** The longest range by window, in hours: at most some thousand rows of a group. Months and years of any time zone fit. */
export const RANGE_HOURS_MAX = { hour: 32 * 24, day: 368 * 24, month: 3662 * 24, none: 3662 * 24 } as const
export const RANGE_TEXTS = {
  hour: '32 days by hour',
  day: '368 days by day',
  month: '10 years by month',
  none: '10 years',
} as const

/**
 * A question about usage, as parameters ask it.
 * @param account that may be asked for; undefined: all
 */
export function readUsageQuestion(query: UsageQuery, account: string | undefined): AskUsage & Ranking {
  const { compare, basis = 'usage', top } = query
  const { window = compare === undefined ? 'hour' : 'none' } = query
  const range = { from: readEnd('from', query.from), to: readEnd('to', query.to) }
  const isByMonths = basis === 'bill' && range.from.kind === 'month' && range.to.kind === 'month'
  const timeZone = readZone(query, isByMonths && (window === 'month' || window === 'none') ? 'account' : UTC)
  if (basis === 'bill' && window === 'month') requireStatementMonths(query, isByMonths, timeZone)
  requireRange(query, range, window, timeZone)
  const filters = (query.filter ?? []).map(readFilter)
  return {
    account,
    range,
    window,
    timeZone,
    basis,
    ...readGroups(query.groupBy ?? []),
    filter: Object.fromEntries(
      USAGE_GROUPS.map((group) => [group, valuesOf(filters.filter(({ name }) => name === group))]),
    ),
    tagFilters: tagFiltersOf(filters),
    compare: compare === undefined ? undefined : readCompared(compare, query, timeZone),
    order: query.order ?? (top === undefined ? 'key' : '-amount'),
    top,
  }
}

/** `previous`, or a range as `2025-06/2025-07`. */
function readCompared(text: string, query: UsageQuery, timeZone: string): AskUsage['compare'] {
  if (query.window !== undefined && query.window !== 'none') {
    throw invalidParameter('window', query.window, 'send none with compare, or leave it out')
  }
  if (text === 'previous') return text
  const [from, to, more] = text.split('/')
  if (from === undefined || to === undefined || more !== undefined) {
    throw invalidParameter('compare', text, 'send previous, or a range such as 2025-06/2025-07')
  }
  const range = { from: readEnd('compare', from), to: readEnd('compare', to) }
  const isByMonths = range.from.kind === 'month' && range.to.kind === 'month'
  if (query.basis === 'bill' && timeZone === 'account' && !isByMonths) {
    throw invalidParameter('compare', text, 'send months such as 2025-06/2025-07, as from and to are')
  }
  requireRange({ to: text }, range, 'none', timeZone)
  return range
}

/** A month or date means its first hour in the time zone of the question; an instant is the start of an hour. */
function readEnd(name: string, text: string): RangeEnd {
  const month = parseMonth(text)
  if (month !== undefined) return { kind: 'month', month }
  const day = parseDay(text)
  if (day !== undefined) return { kind: 'day', day }
  const at = readInstant(name, text)
  if (at % MILLISECONDS_PER_HOUR === 0) return { kind: 'hour', hour: hourOf(at) }
  const fix =
    'usage is kept by the hour of UTC, so send an instant on the hour, or a date such as 2025-07-28 with timeZone'
  throw invalidParameter(name, text, fix)
}

function readZone({ timeZone }: UsageQuery, unless: string): string {
  if (timeZone === undefined || timeZone === 'account') return timeZone ?? unless
  const read = readTimeZone(timeZone)
  if (read.ok) return read.zone
  const fix = read.meant
    ? `did you mean ${read.meant}?`
    : 'send an IANA name such as Europe/Paris, or account'
  throw invalidParameter('timeZone', timeZone, fix)
}

function requireStatementMonths({ from, timeZone }: UsageQuery, isByMonths: boolean, zone: string): void {
  if (zone !== 'account' && timeZone !== undefined) {
    const fix = 'months of bills are statement months, in the time zone of each account, so leave it out'
    throw invalidParameter('timeZone', timeZone, fix)
  }
  if (isByMonths) return
  const fix = 'months of bills are statement months, so send from and to as months such as 2025-07'
  throw invalidParameter('from', from, fix)
}

function requireRange(
  query: Pick<UsageQuery, 'to'>,
  range: AskUsage['range'],
  window: Window,
  timeZone: string,
): void {
  const calendar = zoneCalendar(timeZone === 'account' ? UTC : timeZone, offsetAt)
  const hours = { from: hourIn(calendar, range.from), to: hourIn(calendar, range.to) }
  if (hours.from > hours.to) {
    throw invalidParameter('to', query.to, 'send a time that is not before from')
  }
  requireShort(hours, RANGE_HOURS_MAX[window], RANGE_TEXTS[window])
}

const TAG = 'tag:'

/** In the order of the schema, whatever theirs is. */
function readGroups(all: readonly string[]): Pick<AskUsage, 'groupBy' | 'tags'> {
  const names = all.flatMap((text) => splitAt(text, ',')).map((name) => name.trim())
  const asked = new Set(names.filter((name) => name !== ''))
  const tags = [...asked].filter((name) => name.startsWith(TAG)).map((name) => name.slice(TAG.length))
  const groupBy = USAGE_GROUPS.filter((group) => asked.has(group))
  const known = groupBy.length + tags.length
  if (known === asked.size && known <= USAGE_GROUPS_MAX && !tags.includes('')) return { groupBy, tags }
  const fix = `send at most ${USAGE_GROUPS_MAX} of ${USAGE_GROUPS.join(', ')}, tag:NAME, with commas between them`
  throw invalidParameter('groupBy', all.join(','), fix)
}

interface Filter {
  readonly name: string
  readonly value: string
}

function readFilter(text: string): Filter {
  const [name = '', ...rest] = splitAt(text, '=')
  const isKnown = (USAGE_GROUPS as readonly string[]).includes(name) || /^tag:./s.test(name)
  if (isKnown && rest.length > 0) return { name, value: rest.join('=') }
  const fix = `send GROUP=VALUE, where GROUP is one of ${USAGE_GROUPS.join(', ')} or tag:NAME`
  throw invalidParameter('filter', text, fix)
}

/** A separator that belongs to a name has a backslash before it. */
function splitAt(text: string, separator: ',' | '='): readonly string[] {
  const parts = text.split(separator === ',' ? /(?<!\\),/ : /(?<!\\)=/)
  return parts.map((part) => part.replaceAll(`\\${separator}`, separator))
}

function valuesOf(filters: readonly Filter[]): readonly string[] | undefined {
  return filters.length === 0 ? undefined : filters.map(({ value }) => value)
}

function tagFiltersOf(filters: readonly Filter[]): readonly TagFilter[] {
  const ofTags = filters.filter(
    ({ name }) => !(USAGE_GROUPS as readonly string[] as UsageGroup[]).includes(name as UsageGroup),
  )
  const names = [...new Set(ofTags.map(({ name }) => name))]
  return names.map((name) => ({
    name: name.slice(TAG.length),
    values: valuesOf(ofTags.filter((filter) => filter.name === name))!,
  }))
}
