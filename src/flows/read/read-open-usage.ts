import { addEvent, type AccountHour, emptyAccountHour } from '../../core/bill/account-hour.ts'
import { addStored, type Entry } from '../../core/bill/tally.ts'
import { FUTURE_MS_MAX } from '../../core/ingest/accept.ts'
import { compareLevels, integrate, isSameSeries, type Level } from '../../core/meter/level.ts'
import { type Decimal, decimal, plain, plus, ZERO } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book.ts'
import { price } from '../../core/rate/price.ts'
import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { closeOpenEvents } from '../../store/queries/close-open-events.ts'
import { FETCHED, fetchOpenEvents } from '../../store/queries/fetch-open-events.ts'
import { openEventsCursor } from '../../store/queries/open-events-cursor.ts'
import { readHourLevels } from '../../store/queries/read-hour-levels.ts'
import { type OpenHour, readOpenHours } from '../../store/queries/read-open-hours.ts'
import type { UsageGroup, UsageKey, UsageRow, UsageWindow } from '../../store/queries/read-usage.ts'
import { type Sql, run } from '../../store/query.ts'
import { usageEvent } from './read-line-events.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { compareKeys, windowOf } from './usage-window.ts'

/** Events that one answer reads at most: about five seconds. */
export const OPEN_EVENTS_MAX = 1_000_000
/** Levels of storage that one answer reads at most. */
export const OPEN_LEVELS_MAX = 50_000
/** Hours whose events one statement reads: it opens at most as many days. */
const HOURS_AT_ONCE = 48

export interface AskOpenUsage {
  readonly bucket: number
  readonly account: string
  readonly from: Hour
  readonly to: Hour
  readonly window: UsageWindow
  readonly groupBy: readonly UsageGroup[]
  readonly now: Instant
}

export type OpenUsage =
  | { readonly ok: true; readonly rows: readonly UsageRow[] }
  | { readonly ok: false; readonly code: 'usage/too_many_open_events'; readonly detail: string }

/**
 * Usage that is on no bill yet, from its events, by the rules and the newest prices: in the order of
 * `compareKeys`. Storage is counted until now. Changes to the storage of older hours show when they are billed.
 * @param sql a transaction that sees one moment
 */
export async function readOpenUsage(sql: Sql, ask: AskOpenUsage): Promise<OpenUsage> {
  const { bucket, account, from, now } = ask
  const latest = next(hourOf((now + FUTURE_MS_MAX) as Instant))
  const to = Math.min(ask.to, latest) as Hour
  if (from >= to) return { ok: true, rows: [] }
  const hours = await run(sql, readOpenHours, { bucket, account, from, to })
  if (hours.length === 0) return { ok: true, rows: [] }
  const { book } = await bookOf(sql, null)
  const sums = emptyAccountHour()
  if (!(await addOpenEvents(sql, sums, book, { bucket, account, hours })))
    return refuseMany(OPEN_EVENTS_MAX, 'events')
  if (!(await addOpenStorage(sql, sums, book, { bucket, account, hours, now })))
    return refuseMany(OPEN_LEVELS_MAX, 'levels of stored data')
  return { ok: true, rows: rowsOf([...sums.tally.values()], ask) }
}

function refuseMany(max: number, what: string): OpenUsage {
  const detail = `The hours without bills have more than ${max} ${what} of this account`
  const advice = 'ask for hours that have their bills (see /v1/cycles), or ask again when these have'
  return { ok: false, code: 'usage/too_many_open_events', detail: `${detail}: ${advice}.` }
}

interface OpenHours {
  readonly bucket: number
  readonly account: string
  readonly hours: readonly OpenHour[]
}

/** False when there are too many. */
async function addOpenEvents(
  sql: Sql,
  sums: AccountHour,
  book: PriceBook,
  { bucket, account, hours }: OpenHours,
): Promise<boolean> {
  let seen = 0
  for (let start = 0; start < hours.length; start += HOURS_AT_ONCE) {
    await run(sql, openEventsCursor, { bucket, account, hours: hours.slice(start, start + HOURS_AT_ONCE) })
    let fetched = FETCHED
    while (fetched === FETCHED) {
      const events = await run(sql, fetchOpenEvents, undefined)
      for (const event of events) addEvent(sums, book, usageEvent(book, account, event))
      fetched = events.length
      seen += fetched
      if (seen > OPEN_EVENTS_MAX) return false
    }
    await run(sql, closeOpenEvents, undefined)
  }
  return true
}

/** Levels carry over from settled hours into open ones. False when there are too many. */
async function addOpenStorage(
  sql: Sql,
  sums: AccountHour,
  book: PriceBook,
  { bucket, account, hours, now }: OpenHours & { readonly now: Instant },
): Promise<boolean> {
  const own = hours.filter(({ hour, cycle }) => hour === cycle && hour <= hourOf(now)).map(({ hour }) => hour)
  const [first] = own
  if (first === undefined) return true
  const scope = { bucket, account, project: undefined, hour: first, step: undefined }
  const settled = await run(sql, readHourLevels, { ...scope, limit: OPEN_LEVELS_MAX + 1 })
  if (settled.length + sums.levels.length > OPEN_LEVELS_MAX) return false
  const levels = endedAt([...settled, ...sums.levels].sort(compareLevels), now)
  for (const hour of own)
    for (const stored of integrate(levels, hour)) addStored(sums.tally, book, hour, stored)
  return true
}

/**
 * The same levels, as if nothing were stored from an instant on.
 * @param levels in the order of `compareLevels`
 */
function endedAt(levels: readonly Level[], at: Instant): readonly Level[] {
  const before = levels.filter((level) => level.at < at)
  return before.flatMap((level, index) => {
    const following = before[index + 1]
    const isLast = following === undefined || !isSameSeries(level, following)
    return isLast ? [level, { ...level, at, bytes: ZERO }] : [level]
  })
}

interface Sum {
  readonly key: UsageKey
  quantity: Decimal
  waived: Decimal
  amount: Decimal
}

function rowsOf(
  entries: readonly Entry[],
  { window, groupBy }: Pick<AskOpenUsage, 'window' | 'groupBy'>,
): readonly UsageRow[] {
  const sums = new Map<string, Sum>()
  for (const entry of entries) {
    const key = keyOf(entry, window, groupBy)
    // U+0000 occurs in no part.
    const text = Object.values(key).join('\0')
    const sum = sums.get(text) ?? { key, quantity: ZERO, waived: ZERO, amount: ZERO }
    sums.set(text, sum)
    sum.quantity = plus(sum.quantity, entry.quantity)
    sum.waived = plus(sum.waived, entry.waived)
    sum.amount = plus(sum.amount, decimal(price(entry.rate, entry.term, entry.quantity).amount))
  }
  const rows = [...sums.values()].map(({ key, quantity, waived, amount }) => {
    return { ...key, quantity: plain(quantity), waived: plain(waived), amount: plain(amount) }
  })
  return rows.sort(compareKeys)
}

function keyOf(entry: Entry, window: UsageWindow, groupBy: readonly UsageGroup[]): UsageKey {
  const of = (group: UsageGroup, value: string | null) => (groupBy.includes(group) ? (value ?? '') : '')
  return {
    window: windowOf(entry.usageHour, window),
    component: of('component', entry.rate.component),
    item: of('item', entry.rate.item),
    operation: of('operation', entry.operation),
    project: of('project', entry.project),
    region: of('region', entry.region),
    unit: entry.rate.baseUnit,
  }
}
