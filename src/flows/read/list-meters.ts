import { ONE_EACH } from '../../core/ingest/usage.ts'
import type { PriceBook, Rate } from '../../core/rate/price-book/price-book.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Sql } from '../../store/query.ts'
import { bookOf, findPriceVersion } from '../prices/read-price-version.ts'
import { invariant } from '../../core/invariant.ts'
import { findMeter, nameOf, type RefusedMeter } from './read-meter.ts'

/** What can be asked for as a meter: an item of the price book, or one of its rates. */
export interface Meter {
  /** An item, or `item.rate`. */
  readonly slug: string
  /** The unit of its sums: `call`, `token`, `byte-millisecond`. */
  readonly unit: string
  /** An event type that it counts: a declared one where there is one. */
  readonly eventType: string
  /** Does each event of this type count one? Otherwise quantities are added up. */
  readonly isCount: boolean
  /** Where the data of this type has the quantity, as a JSONPath; undefined where that is not one place. */
  readonly valueProperty: string | undefined
}

export interface Meters {
  /** By slug, in the order of its bytes. */
  readonly meters: readonly Meter[]
  /** When the price book that they come from was published. */
  readonly publishedAt: Instant
}

/** Every meter of the newest price book: each of them can be asked for. */
export async function listMeters(sql: Sql): Promise<Meters> {
  const { book, publishedAt } = await newestBook(sql)
  const names = book.rates.flatMap((rate) => (isAlone(book, rate) ? [rate.item] : [rate.item, nameOf(rate)]))
  const meters = [...new Set(names)].sort(compareBytes).flatMap((slug) => {
    const made = makeMeter(book, slug)
    return made.ok ? [made.meter] : []
  })
  return { meters, publishedAt }
}

export type FoundMeter =
  { readonly ok: true; readonly meter: Meter; readonly publishedAt: Instant } | RefusedMeter

/** One meter of the newest price book; refused as `readMeter` refuses it. */
export async function describeMeter(sql: Sql, slug: string): Promise<FoundMeter> {
  const { book, publishedAt } = await newestBook(sql)
  const made = makeMeter(book, slug)
  return made.ok ? { ...made, publishedAt } : made
}

async function newestBook(sql: Sql): Promise<{ readonly book: PriceBook; readonly publishedAt: Instant }> {
  const newest = await findPriceVersion(sql, null)
  invariant(newest !== undefined, 'the first start has published a price book')
  const { book } = await bookOf(sql, newest.version)
  return { book, publishedAt: newest.publishedAt }
}

/** The only rate of its item has no name of its own: it is what the item is. */
function isAlone({ rates }: PriceBook, { item }: Rate): boolean {
  return rates.filter((rate) => rate.item === item).length === 1
}

function makeMeter(
  book: PriceBook,
  slug: string,
): { readonly ok: true; readonly meter: Meter } | RefusedMeter {
  const found = findMeter(book, slug)
  if (!found.ok) return found
  const { item, rate } = found.only
  const rates = book.rates.filter((one) => one.item === item && (rate === undefined || one.rate === rate))
  const [first] = rates
  invariant(first !== undefined, 'a meter is made of rates')
  return { ok: true, meter: { slug, unit: first.baseUnit, ...sentAs(book, rates, first) } }
}

/** By a type that the book declares for one of the operations; else by the built-in one. */
function sentAs(
  { eventTypes }: PriceBook,
  rates: readonly Rate[],
  { component, unit }: Rate,
): Pick<Meter, 'eventType' | 'isCount' | 'valueProperty'> {
  const operations = new Set(rates.flatMap((rate) => rate.operations))
  const declared = [...eventTypes].find(
    ([, type]) =>
      type.component === component && type.operation !== undefined && operations.has(type.operation),
  )
  const [eventType, type] = declared ?? [`farthing.${component}`, undefined]
  const field = type?.quantities?.get(unit)
  const own = component === 'processing' && type?.quantities === undefined ? ['quantities', unit] : undefined
  const path = typeof field === 'string' ? [field] : own
  return { eventType, isCount: field === ONE_EACH, valueProperty: path && jsonPath(path) }
}

function jsonPath(members: readonly string[]): string {
  const steps = members.map((name) =>
    /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`,
  )
  return `$${steps.join('')}`
}
