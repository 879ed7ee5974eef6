import { type AccountHour, addEvent, emptyAccountHour, takeBack } from '../../core/bill/account-hour.ts'
import { inHour } from '../../core/bill/draft-bill.ts'
import { type PricedEntries, inHours, priceEntries } from '../../core/bill/price-entries.ts'
import { addStored, type Entry } from '../../core/bill/tally.ts'
import { FUTURE_MS_MAX } from '../../core/ingest/accept.ts'
import { reread } from '../../core/ingest/reread.ts'
import { compareLevels, isSameSeries, type Level, withoutLevels } from '../../core/meter/level.ts'
import { integrateHours } from '../../core/meter/level-hours.ts'
import { type Decimal, decimal, plain, plus, ZERO } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { mayCount } from '../../core/rate/rating/account-prices.ts'
import type { QuotedFor } from '../../core/rate/rating/quote.ts'
import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import {
  closeOpenEvents,
  FETCHED,
  fetchOpenEvents,
  type OpenAdjustment,
  openEventsCursor,
  type OpenHour,
  listOpenAdjustments,
  listOpenHours,
} from '../../store/open-usage.ts'
import { listHourLevels } from '../../store/storage-levels.ts'
import type { UsageKey, UsageSum } from '../../store/usage.ts'
import { run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { usageEvent } from './read-line-events.ts'
import { byMonth } from '../shared/by-month.ts'
import { eventsAt } from '../settle/adjustments.ts'
import { questionTurns } from '../shared/thread-turns.ts'
import { type CellOf, keyText } from './usage-cells.ts'

/** Events that one answer reads at most: about five seconds. */
export const OPEN_EVENTS_MAX = 1_000_000
/** Levels of storage that one answer reads at most. */
export const OPEN_LEVELS_MAX = 50_000
/** Hours whose events one statement reads, all of one month: it opens at most 31 days. */
const HOURS_AT_ONCE = 48
const ADJUSTMENTS_AT_ONCE = 2_000

export interface AskOpenUsage {
  /** Under the newest book. */
  readonly paid: QuotedFor
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly cellOf: CellOf
  readonly now: Instant
  /** What may be read of it. */
  readonly max: OpenReading
}

/** How much is read from events, and not from bills. */
export interface OpenReading {
  readonly events: number
  readonly levels: number
}

export const OPEN_READING: OpenReading = { events: OPEN_EVENTS_MAX, levels: OPEN_LEVELS_MAX }

export interface TooMuchOpen {
  readonly ok: false
  readonly code: 'usage/too_many_open_events' | 'usage/too_many_open_accounts'
  readonly detail: string
}

export type OpenUsage =
  { readonly ok: true; readonly rows: readonly UsageSum[]; readonly read: OpenReading } | TooMuchOpen

/**
 * Usage that is on no bill yet, and usage that a coming bill gives back, from events, by the rules and the newest
 * prices. Storage is counted until now. Changes to the storage of older hours show when they are billed.
 * @param sql a transaction that sees one moment
 */
export async function readOpenUsage(sql: Sql, ask: AskOpenUsage): Promise<OpenUsage> {
  const { paid, bucket, account, now, max } = ask
  const { book } = paid.prices
  const latest = next(hourOf((now + FUTURE_MS_MAX) as Instant))
  const to = Math.min(ask.to, latest) as Hour
  if (ask.from >= to) return { ok: true, rows: [], read: { events: 0, levels: 0 } }
  // Tiers count all that is open, whatever is asked for.
  const from = book.rates.some((rate) => mayCount(paid.prices, rate)) ? FIRST_HOUR : ask.from
  const hours = await run(sql, listOpenHours, { bucket, account, from, to })
  const open: Open = { sql, book, sums: emptyAccountHour(), bucket, account, from, to, hours, now, max }
  const events = await addOpenEvents(open)
  if (events > max.events || !(await addOpenAdjustments(open))) return refuseMany(OPEN_EVENTS_MAX, 'events')
  const levels = await addOpenStorage(open)
  if (levels > max.levels) return refuseMany(OPEN_LEVELS_MAX, 'levels of stored data')
  const entries = [...open.sums.tally.values()].sort(inHours(inHour))
  const { parts } = priceEntries(paid.prices, entries, paid.positions)
  return { ok: true, rows: rowsOf(ask, entries, parts), read: { events, levels } }
}

function refuseMany(max: number, what: string): TooMuchOpen {
  const detail = `The hours without bills have more than ${max} ${what}`
  const advice = 'ask for hours that have their bills (see /v1/cycles), or ask again when these have'
  return { ok: false, code: 'usage/too_many_open_events', detail: `${detail}: ${advice}.` }
}

/** Before it nothing was used. */
const FIRST_HOUR = 0 as Hour

interface Open {
  readonly sql: Sql
  readonly book: PriceBook
  readonly sums: AccountHour
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Those of them with events that are on no bill. */
  readonly hours: readonly OpenHour[]
  readonly now: Instant
  readonly max: OpenReading
}

/** How many there are; above the maximum not all are added. */
async function addOpenEvents(open: Open): Promise<number> {
  const { sql, hours, max, now } = open
  let seen = 0
  const months = byMonth(hours, ({ hour }) => hour)
  // Nearly always: the open hours are of today.
  if (
    months.length === 1 &&
    hours.length <= HOURS_AT_ONCE &&
    next(hours[0]!.hour) > hourOf(now) - HOURS_AT_ONCE
  )
    return addEventsOf(open, hours, max.events)
  for (const { items } of months) {
    for (let start = 0; start < items.length && seen <= max.events; start += HOURS_AT_ONCE) {
      const part = items.slice(start, start + HOURS_AT_ONCE)
      seen += await releasingLocks(sql, () => addEventsOf(open, part, max.events - seen))
    }
  }
  return seen
}

/** How many there are; above the maximum not all are added. */
async function addEventsOf(open: Open, hours: readonly OpenHour[], max: number): Promise<number> {
  const { sql, book, sums, bucket, account } = open
  await run(sql, openEventsCursor, { bucket, account, hours })
  let seen = 0
  let fetched = FETCHED
  while (fetched === FETCHED && seen <= max) {
    // A few at a time, and one question after the other: what is sent meanwhile has its turn between them.
    await questionTurns.next()
    const events = await run(sql, fetchOpenEvents, undefined)
    for (const event of events) addEvent(sums, book, usageEvent(book, account, event))
    fetched = events.length
    seen += fetched
  }
  await run(sql, closeOpenEvents, undefined)
  return seen
}

/** Releases and voids that count in cycles without a bill. False when there are too many. */
async function addOpenAdjustments({ sql, book, sums, bucket, account, from, to }: Open): Promise<boolean> {
  let after: OpenAdjustment | undefined
  for (let seen = 0; seen <= OPEN_EVENTS_MAX; seen += ADJUSTMENTS_AT_ONCE) {
    const adjustments = await run(sql, listOpenAdjustments, {
      bucket,
      account,
      from,
      to,
      after,
      limit: ADJUSTMENTS_AT_ONCE,
    })
    const events = await eventsAt(sql, adjustments)
    for (const [index, { isVoid }] of adjustments.entries()) {
      const kept = events.get(index)
      if (kept === undefined || kept.isDuplicate) continue
      const event = { ...kept, usage: reread(book.eventTypes, kept.type, kept.data) }
      if (isVoid) takeBack(sums, book, event)
      else addEvent(sums, book, event)
    }
    if (adjustments.length < ADJUSTMENTS_AT_ONCE) return true
    after = adjustments.at(-1)
  }
  return false
}

/** Levels carry over from settled hours into open ones. How many there are; above the maximum none is added. */
async function addOpenStorage(open: Open): Promise<number> {
  const { sql, book, sums, bucket, account, hours, now, max } = open
  const own = hours.filter(({ hour, cycle }) => hour === cycle && hour <= hourOf(now)).map(({ hour }) => hour)
  const [first, last] = [own[0], own.at(-1)]
  if (first === undefined || last === undefined) return 0
  // From before what is voided on: so the level before it is there, which goes on in its place.
  const from = Math.min(first, ...sums.withdrawn.map(({ at }) => hourOf(at))) as Hour
  const scope = { bucket, account, project: undefined, from, to: next(last), step: undefined }
  const settled = await run(sql, listHourLevels, { ...scope, limit: max.levels + 1 })
  const seen = settled.length + sums.levels.size
  if (seen > max.levels) return seen
  const kept = withoutLevels(settled, sums.withdrawn)
  const levels = endedAt([...kept, ...sums.levels.values()].sort(compareLevels), now)
  const isOwn = new Set(own)
  for (const { hour, ...stored } of integrateHours(levels, first, last))
    if (isOwn.has(hour)) addStored(sums.tally, book, hour, stored)
  return seen
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
  { account, cellOf }: Pick<AskOpenUsage, 'account' | 'cellOf'>,
  entries: readonly Entry[],
  parts: PricedEntries['parts'],
): readonly UsageSum[] {
  const sums = new Map<string, Sum>()
  for (const entry of entries) {
    const key = cellOf(account, entry)
    if (key === undefined) continue
    const text = keyText(key)
    const sum = sums.get(text) ?? { key, quantity: ZERO, waived: ZERO, amount: ZERO }
    sums.set(text, sum)
    sum.quantity = plus(sum.quantity, entry.quantity)
    sum.waived = plus(sum.waived, entry.waived)
    for (const { amount } of parts.get(entry)!) sum.amount = plus(sum.amount, decimal(amount))
  }
  return [...sums.values()].map(({ key, quantity, waived, amount }) => {
    return { ...key, quantity: plain(quantity), waived: plain(waived), amount: plain(amount) }
  })
}
