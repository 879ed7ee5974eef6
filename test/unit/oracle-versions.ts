import fc from 'fast-check'
import { readUsage } from '../../src/core/ingest/read-usage.ts'
import { isRejection } from '../../src/core/ingest/rejection.ts'
import { plain } from '../../src/core/money/decimal.ts'
import { assess, type Assessment } from '../../src/core/rate/rating/assess.ts'
import {
  COMPONENTS,
  type PriceBook,
  type PriceTerm,
  type Rate,
} from '../../src/core/rate/price-book/price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'

/** Two versions of a price book, compared by brute force: every kind of event, in every hour around every boundary. */

/** Prices change in these hours, and nowhere else; what they do in between they do at the one before. */
export const HOURS = [0, 9, 10, 11, 12, 13, 14, 15, 16].map((hour) => hour as Hour)
const OPERATIONS = ['A', 'B', 'C', 'D', 'E']
const STATUSES = [100, 200, 304, 404, 500]
const QUANTITIES: readonly Json[] = [{ call: 2, page: 3 }, { call: 5 }, { page: 7 }, {}]

const iso = (hour: number) => new Date(hour * 3_600_000).toISOString()

/** The data of every event that could be sent of a component. */
const DATA: Readonly<Record<string, readonly Data[]>> = {
  request: [...OPERATIONS, null].flatMap((operation) => STATUSES.map((status) => ({ operation, status }))),
  processing: [...OPERATIONS, null].flatMap((operation) =>
    ['succeeded', 'failed'].flatMap((outcome) =>
      QUANTITIES.map((quantities) => ({ operation, mode: 'async', outcome, quantities, pages: 3 })),
    ),
  ),
  storage: [{ bytes: 7 }],
}

function essenceOfRate(rate: Rate, term: PriceTerm) {
  const { component, item, rate: name, baseUnit, pricingUnit, per } = rate
  const price = term.kind === 'price' ? plain(term.unitPrice) : term.kind === 'free' ? term.reason : null
  return [component, item, name, baseUnit, pricingUnit, plain(per), term.kind, price]
}

function essence(assessment: Assessment): string {
  if (assessment.outcome === 'held') return `held ${assessment.code}`
  if (assessment.outcome === 'rejected') return 'rejected'
  return JSON.stringify(
    assessment.charges.map(({ rate, term, operation, quantity, waived }) => [
      ...essenceOfRate(rate, term),
      operation,
      plain(quantity),
      plain(waived),
    ]),
  )
}

type Data = { readonly [key: string]: Json }

/** How an event is read, and what it is charged in each hour. */
function tellerOf(book: PriceBook, type: string, data: Data) {
  const eventType = book.eventTypes.get(type)
  const usage = eventType && readUsage(eventType, data)
  if (isRejection(usage)) return { reading: usage.code, charge: () => 'rejected' }
  const identity = { account: 'a', source: 's', id: 'i', at: 0 as Instant, data: '', attributes: null }
  const quantities = usage && 'quantities' in usage ? [...usage.quantities] : null
  const operation = usage && 'operation' in usage ? usage.operation : null
  const reading = JSON.stringify([usage?.component, operation, eventType?.quantities && quantities])
  const charge = (hour: Hour) => essence(assess(book, { ...identity, type, hour, usage }))
  return { reading, charge }
}

function storedUnder(book: PriceBook, place: string, hour: Hour): string {
  const rate = book.rates.find((one) => one.component === 'storage' && `${one.item}/${one.rate}` === place)
  if (!rate || (rate.until !== undefined && hour >= rate.until)) return 'none'
  const term = rate.terms.filter(({ from }) => from <= hour).at(-1)
  if (!term) return 'none'
  return term.kind === 'unknown' ? 'unknown' : JSON.stringify(essenceOfRate(rate, term))
}

/**
 * The first of the hours in which an event that the old book accepts, or stored data, is charged otherwise by the new
 * one; or an event of a type that the old one knows is read otherwise.
 * @param accepted declared types of which there can be accepted events
 */
export function firstDifference(
  old: PriceBook,
  next: PriceBook,
  hours: readonly Hour[],
  accepted: ReadonlySet<string>,
): Hour | undefined {
  const places = [...old.rates, ...next.rates].map(({ item, rate }) => `${item}/${rate}`)
  const sent = eventsOf(old).filter(([type]) => type.startsWith('farthing.') || accepted.has(type))
  const events = sent.map(([type, data]) => [tellerOf(old, type, data), tellerOf(next, type, data)])
  return hours.find((hour) => {
    const isCharged = events.every(([before, after]) => {
      const was = before!.charge(hour)
      const isFree = was.startsWith('held') || was === 'rejected'
      return before!.reading === after!.reading && (isFree || was === after!.charge(hour))
    })
    const isStored = places.every((place) => {
      const was = storedUnder(old, place, hour)
      return was === 'unknown' || was === storedUnder(next, place, hour)
    })
    return !isCharged || !isStored
  })
}

function eventsOf({ eventTypes }: PriceBook): readonly (readonly [type: string, data: Data])[] {
  return [...eventTypes].flatMap(([type, { component }]) =>
    DATA[component]!.map((data) => [type, data] as const),
  )
}

/** Everything that a book says of any event, in any hour. */
export function allTold(book: PriceBook): string {
  const told = eventsOf(book).map(([type, data]) => {
    const { reading, charge } = tellerOf(book, type, data)
    return [type, reading, ...HOURS.map(charge)]
  })
  const stored = book.rates.flatMap(({ item, rate }) =>
    HOURS.map((hour) => storedUnder(book, `${item}/${rate}`, hour)),
  )
  return JSON.stringify([book.currency, [...book.operations].toSorted(), told, stored])
}

type Parts = { readonly [key: string]: Json }

const anyCost: fc.Arbitrary<Parts> = fc.constantFrom<Parts>(
  { price: '1' },
  { price: '1.0' },
  { price: '2' },
  { price: '0' },
  { price: 'unknown' },
  { price: 'unknown' },
  { free: 'for now' },
  { free: 'until later' },
)

const anyPrices = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom(10, 11, 12, 13, 14, 15), { minLength: 1, maxLength: 3 }),
    fc.array(anyCost, { minLength: 3, maxLength: 3 }),
    fc.constantFrom(undefined, undefined, 13, 15, 16),
  )
  .map(([froms, costs, until]): Parts => {
    const sorted = froms.toSorted((a, b) => a - b)
    const prices = sorted.map((from, at) => ({ from: iso(from), ...costs[at] }))
    return until !== undefined && until > sorted.at(-1)! ? { prices, until: iso(until) } : { prices }
  })

const anyList = fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'D'), { minLength: 1, maxLength: 3 })

function anyRate(component: string): fc.Arbitrary<Parts> {
  if (component === 'storage') {
    return fc
      .tuple(anyPrices, fc.constantFrom('GB-hour', 'GB-hour', 'GiB-hour'))
      .map(([prices, per]) => ({ unit: 'byte', per, ...prices }))
  }
  const statuses = fc.constantFrom<Parts>({}, {}, {}, { billedStatuses: ['2xx', '5xx'] })
  const [units, others]: [string[], fc.Arbitrary<Parts>] =
    component === 'request' ? [['call'], statuses] : [['call', 'call', 'page'], fc.constant({})]
  return fc
    .tuple(anyPrices, anyList, fc.constantFrom(...units), fc.constantFrom(1, 1, 1000), others)
    .map(([prices, operations, unit, per, rest]) => ({ operations, unit, per, ...prices, ...rest }))
}

export type ItemData = { readonly component: string; readonly rates: { readonly [rate: string]: Parts } }
export type BookData = {
  readonly priceBook: string
  readonly currency: string
  readonly operations?: readonly string[]
  readonly eventTypes?: Parts
  readonly items: { readonly [item: string]: ItemData }
}

const anyItem: fc.Arbitrary<ItemData> = fc
  .constantFrom(...COMPONENTS, 'request')
  .chain((component) => anyRate(component).map((rate) => ({ component, rates: { r: rate } })))

const anyType: fc.Arbitrary<Parts> = fc.constantFrom<Parts>(
  {},
  {},
  { 't.x': { component: 'request' } },
  { 't.x': { component: 'processing' }, 't.y': { component: 'storage' } },
  { 't.x': { component: 'processing', quantities: { page: 'pages' } } },
  { 't.x': { component: 'processing', quantities: { page: 'pages', call: 1 } } },
  { 't.y': { component: 'processing', operation: 'A', quantities: { call: 1 } } },
)

export const anyBook: fc.Arbitrary<BookData> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(fc.constantFrom('X', 'Y', 'Z'), anyItem), {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: 3,
    }),
    fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'D', 'E'), { maxLength: 3 }),
    anyType,
  )
  .map(([items, operations, eventTypes]) => ({
    priceBook: 'p',
    currency: 'USD',
    ...(operations.length > 0 ? { operations } : {}),
    ...(Object.keys(eventTypes).length > 0 ? { eventTypes } : {}),
    items: Object.fromEntries(items),
  }))

/** The same book with some of its parts changed as an author would: most of it stays. */
export function changed(book: BookData): fc.Arbitrary<BookData> {
  const names = Object.keys(book.items)
  const oneItem = fc.tuple(fc.constantFrom(...names, 'W'), anyItem)
  const oneRate = fc.constantFrom(...names).chain((name) => {
    const { component, rates } = book.items[name]!
    return anyRate(component).chain((fresh) =>
      fc.subarray(Object.keys(fresh), { minLength: 1 }).map((keys) => {
        const parts = Object.fromEntries(keys.map((key) => [key, fresh[key]!]))
        const { until: _, ...kept } = rates['r']!
        const rate = keys.includes('prices') ? { ...kept, ...parts } : { ...rates['r'], ...parts }
        return [name, { component, rates: { r: rate } }] as const
      }),
    )
  })
  const replaced = fc
    .oneof(oneItem, oneRate, oneRate, oneRate)
    .map(([name, item]) => ({ ...book, items: { ...book.items, [name]: item } }))
  const operations = fc
    .uniqueArray(fc.constantFrom('A', 'B', 'C', 'D', 'E'), { minLength: 1 })
    .map((list) => ({ ...book, operations: [...new Set([...(book.operations ?? []), ...list])] }))
  const fewer = fc.constant(
    names.length > 1 ? { ...book, items: { [names[0]!]: book.items[names[0]!]! } } : book,
  )
  const types = anyType.map((eventTypes) => ({ ...book, eventTypes: { ...book.eventTypes, ...eventTypes } }))
  return fc.oneof({ weight: 8, arbitrary: replaced }, operations, fewer, types)
}
