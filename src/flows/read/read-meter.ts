import { decimal, plain, plus } from '../../core/money/decimal.ts'
import type { PriceBook, Rate } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { run, type Sql } from '../../store/query.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { listEventDays } from '../../store/usage-events.ts'
import { bookOf } from '../prices/read-price-version.ts'
import type { TooMuchOpen } from './read-open-usage.ts'
import { listUsage, type OnlyRate, type UsageGroup, type UsageRow, type UsageWindow } from './read-usage.ts'
import { windowEnd } from './usage-window.ts'

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
  readonly window: UsageWindow | undefined
  /** Accounts that are named are grouped by anyway. */
  readonly groupBy: readonly Exclude<UsageGroup, 'component' | 'item'>[]
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

export type ReadMeter = { readonly ok: true; readonly rows: readonly MeterRow[] } | RefusedMeter | TooMuchOpen

/**
 * The billed quantities of one item, or of one of its rates, as `listUsage` has them: each named account at its own moment.
 */
export async function readMeter(pool: Pool, ask: AskMeter): Promise<ReadMeter> {
  const { book } = await bookOf(pool, null)
  const found = findMeter(book, ask.slug)
  if (!found.ok) return found
  const rows: MeterRow[] = []
  for (const account of ask.accounts ?? [undefined]) {
    const { from, to, groupBy } = ask
    const window = ask.window ?? 'month'
    const asked = { account, from, to, window, groupBy, only: found.only, after: undefined }
    const read = await listUsage(pool, { ...asked, limit: METER_ROWS_MAX })
    if (!read.ok) return read
    for (const row of rowsOf(account, read.usage.items, ask)) rows.push(row)
    if (rows.length > METER_ROWS_MAX || read.usage.next !== null) return refuseMany()
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

function rowsOf(account: string | undefined, items: readonly UsageRow[], ask: AskMeter): readonly MeterRow[] {
  const { from, to, window } = ask
  if (window === undefined) return sumsOf(items).map((row) => ({ ...partOf(row, account), from, to }))
  return items.map((row) => ({
    ...partOf(row, account),
    from: Math.max(row.window, from) as Hour,
    to: Math.min(windowEnd(row.window, window), to) as Hour,
  }))
}

function partOf(row: UsageRow, asked: string | undefined) {
  const { operation, project, region, quantity } = row
  const account = asked ?? (row.account === '' ? undefined : row.account)
  return { account, operation, project, region, quantity }
}

/** Over all windows, by group. */
function sumsOf(items: readonly UsageRow[]): readonly UsageRow[] {
  const sums = new Map<string, UsageRow>()
  for (const row of items) {
    // U+0000 occurs in no part.
    const key = [row.account, row.operation, row.project, row.region].join('\0')
    const { quantity } = sums.get(key) ?? { quantity: '0' }
    sums.set(key, { ...row, quantity: plain(plus(decimal(quantity), decimal(row.quantity))) })
  }
  return [...sums.values()]
}
