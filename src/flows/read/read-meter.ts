import { plain } from '../../core/money/decimal.ts'
import type { PriceBook, Rate } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { UTC } from '../../core/time/zone-month.ts'
import { run, type Sql } from '../../store/query.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { listEventDays } from '../../store/usage-events.ts'
import { bookOf } from '../prices/read-price-version.ts'
import type { AskUsage, UsageRefused } from './usage-ask.ts'
import type { Ranking } from './usage-rows.ts'
import { readUsage, type UsageGroup, type UsageRow } from './read-usage.ts'
import { rangeOf } from './usage-range.ts'

/** Some lines of all: those of an item, or of one of its rates. */
export interface OnlyRate {
  readonly item: string
  /** Undefined: every rate of the item. */
  readonly rate: string | undefined
}

/** Rows of one answer, which has no pages: some megabytes. */
export const METER_ROWS_MAX = 10_000

export interface AskMeter {
  /** An item of the newest price book, or `item.rate`. */
  readonly slug: string
  /** Whose usage: rows come in this order. Undefined: that of all accounts. */
  readonly accounts: readonly string[] | undefined
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Undefined: all of the range is one window. */
  readonly window: 'hour' | 'day' | 'month' | undefined
  /** Accounts that are named are grouped by anyway. */
  readonly groupBy: readonly Exclude<UsageGroup, 'component' | 'item' | 'rate'>[]
}

export interface MeterRow {
  /** Undefined where it is the sum of all. */
  readonly account: string | undefined
  /** The part of the window within the range that was asked for: hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** What is not grouped by, and absent names, are ''. */
  readonly operation: string
  readonly project: string
  readonly region: string
  /** A plain decimal, exact, in the one unit that the meter has. */
  readonly quantity: string
}

export interface RefusedMeter {
  readonly ok: false
  readonly code: 'meter/not_found' | 'meter/unclear' | 'meter/too_many_rows'
  readonly detail: string
}

export type ReadMeter =
  { readonly ok: true; readonly rows: readonly MeterRow[] } | RefusedMeter | UsageRefused

/**
 * The billed quantities of one item, or of one of its rates, as `readUsage` has them: each named account at its own moment.
 */
export async function readMeter(pool: Pool, ask: AskMeter): Promise<ReadMeter> {
  const { book } = await bookOf(pool, null)
  const found = findMeter(book, ask.slug)
  if (!found.ok) return found
  const rows: MeterRow[] = []
  for (const account of ask.accounts ?? [undefined]) {
    const read = await readUsage(pool, askOf(ask, found.only, account))
    if (!read.ok) return read
    const { rows: used, places } = read.usage
    for (const row of used) rows.push({ ...partOf(row, account), ...rangeOf(places, row) })
    if (rows.length > METER_ROWS_MAX) return refuseMany()
  }
  return { ok: true, rows }
}

function refuseMany(): RefusedMeter {
  const detail = `The answer would have more than ${METER_ROWS_MAX} rows`
  const advice = 'ask for a shorter range, longer windows, fewer subjects or fewer groups'
  return { ok: false, code: 'meter/too_many_rows', detail: `${detail}: ${advice}.` }
}

/** The start of the first day that may have usage; undefined: there is none yet. */
export async function firstUsageHour(sql: Sql): Promise<Hour | undefined> {
  const day = (await run(sql, listEventDays, undefined)).at(-1)
  return day === undefined ? undefined : ((day * 24) as Hour)
}

/** An item goes before a rate of the same text: names may have dots in them. */
export function findMeter(
  book: PriceBook,
  slug: string,
): { readonly ok: true; readonly only: OnlyRate } | RefusedMeter {
  const ofItem = book.rates.filter(({ item }) => item === slug)
  const [first, ...others] = ofItem.length > 0 ? ofItem : book.rates.filter((rate) => nameOf(rate) === slug)
  if (first === undefined) {
    const detail = 'No item of the price book has this name: send an item, or item.rate (see /v1/price-book).'
    return { ok: false, code: 'meter/not_found', detail }
  }
  if (ofItem.length === 0) {
    if (others.length === 0) return { ok: true, only: { item: first.item, rate: first.rate } }
    const detail = 'The name means rates of two items, whose names have dots: ask for the items.'
    return { ok: false, code: 'meter/unclear', detail }
  }
  if (others.every(({ baseUnit }) => baseUnit === first.baseUnit)) {
    return { ok: true, only: { item: slug, rate: undefined } }
  }
  const units = ofItem.map((rate) => `${nameOf(rate)} (${rate.baseUnit})`).join(', ')
  const detail = `The rates of ${slug} have different units, which no sum can have: ask for one of ${units}.`
  return { ok: false, code: 'meter/unclear', detail }
}

export function nameOf({ item, rate }: Rate): string {
  return `${item}.${rate}`
}

function askOf(
  { from, to, window, groupBy }: AskMeter,
  { item, rate }: OnlyRate,
  account: string | undefined,
): AskUsage & Ranking {
  return {
    account,
    range: { from: { kind: 'hour', hour: from }, to: { kind: 'hour', hour: to } },
    window: window ?? 'none',
    timeZone: UTC,
    basis: 'usage',
    groupBy,
    tags: [],
    filter: { item: [item], rate: rate === undefined ? undefined : [rate] },
    tagFilters: [],
    compare: undefined,
    order: 'key',
    top: undefined,
  }
}

function partOf(row: UsageRow, asked: string | undefined) {
  const { operation, project, region, quantities } = row
  const account = asked ?? (row.account === '' ? undefined : row.account)
  return { account, operation, project, region, quantity: plain(quantities[0]!.quantity) }
}
