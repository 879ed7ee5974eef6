import { minorUnitsOf } from '../../../money/currency.ts'
import type { Json } from '../../../text/canonical-json.ts'
import { compareBytes } from '../../../text/well-formed.ts'
import { COMPONENTS, type PriceBook, type Rate } from '../price-book.ts'
import { readComponent } from './read-component.ts'
import { readEventTypes } from './read-event-types.ts'
import { readHeadings } from './read-headings.ts'
import {
  childOf,
  entriesOf,
  type Field,
  fieldsOf,
  isName,
  type Keys,
  kindOf,
  operationsOf,
  placeOf,
  refuse,
  refuseSize,
} from './read-field.ts'
import { type PriceBookProblem, type PriceBookProblemCode, type PriceBookRemark, quote } from './problem.ts'
import { readRate } from './read-rate.ts'
import { remarksOn } from './remarks.ts'

export type ReadPriceBook =
  | { readonly ok: true; readonly book: PriceBook; readonly remarks: readonly PriceBookRemark[] }
  | { readonly ok: false; readonly problems: readonly PriceBookProblem[] }

/** Items of a book. The published list of a large cloud service has about 50. */
export const ITEMS_MAX = 1000
/** Rates of one item: its parts with a unit and a price of their own. */
export const RATES_PER_ITEM_MAX = 100
/** Operations that are listed as known without a fee. */
export const FREE_OPERATIONS_MAX = 10_000

const BOOK_KEYS: Keys = {
  required: { priceBook: 'acme', currency: 'USD', items: 'with what is charged' },
  optional: ['headings', 'operations', 'eventTypes'],
}
const BOOK_EXAMPLE = 'write priceBook: a name, currency: USD and items:'
const ITEM_KEYS: Keys = {
  required: { component: 'request, processing or storage', rates: 'with a unit and prices' },
  optional: [],
}
const ITEM_EXAMPLE = `write component: ${COMPONENTS.join(', ')} and rates:`

/** After these an operation may be missing only because its rate could not be read. */
const INCOMPLETE: ReadonlySet<PriceBookProblemCode> = new Set([
  'price_book/wrong_type',
  'price_book/unknown_key',
  'price_book/missing_key',
  'price_book/empty',
  'price_book/too_many',
  'price_book/not_a_name',
])

/**
 * Read a price book from plain data, as a YAML or JSON parser gave it (ARCHITECTURE.md).
 *
 * Everything is checked, and every problem is reported (the first 100), so that one reading finds all that
 * must be changed. The result depends on the data alone; nothing is taken from an earlier version.
 * @returns the book and what its author should know, or the problems, by code, in reading order
 */
export function readPriceBook(data: Json): ReadPriceBook {
  const problems: PriceBookProblem[] = []
  const root: Field = { value: data, path: [], problems }
  const fields = fieldsOf(root, BOOK_KEYS, BOOK_EXAMPLE)
  if (!fields) return { ok: false, problems }
  const name = fields.get('priceBook')
  if (name) isName(name, name.value, 'the price book')
  const currency = fields.get('currency')
  if (currency) refuseCurrency(currency)
  const headings = readHeadings(fields.get('headings'))
  const free = fields.get('operations')
  const list = { max: FREE_OPERATIONS_MAX, example: 'write [GetProject], or remove it' }
  const freeOperations = free ? operationsOf(free, list) : []
  const items = fields.get('items')
  const rates = items ? readItems(items) : []
  const operations = new Set([...freeOperations, ...rates.flatMap((rate) => rate.operations)])
  const isWhole = !problems.some(({ code }) => INCOMPLETE.has(code))
  const eventTypes = readEventTypes(fields.get('eventTypes'), isWhole ? operations : undefined)
  if (problems.length > 0) return { ok: false, problems }
  const book: PriceBook = {
    name: name!.value as string,
    currency: currency!.value as string,
    headings,
    eventTypes,
    operations,
    freeOperations: new Set(freeOperations),
    rates: rates.toSorted(inOrder),
  }
  return { ok: true, book, remarks: remarksOn(book, freeOperations) }
}

function inOrder(a: Rate, b: Rate): number {
  const byComponent = COMPONENTS.indexOf(a.component) - COMPONENTS.indexOf(b.component)
  return byComponent || compareBytes(a.item, b.item) || compareBytes(a.rate, b.rate)
}

function refuseCurrency(field: Field): void {
  if (typeof field.value === 'string' && minorUnitsOf(field.value) !== undefined) return
  const message = `${placeOf(field)} is ${kindOf(field.value)}, not a currency of ISO 4217.`
  refuse(field, 'price_book/unknown_currency', message, 'write its three capital letters, such as USD')
}

function readItems(field: Field): readonly Rate[] {
  const example = 'write the name of an item with its component and rates'
  const items = entriesOf(field, example)
  if (!items || !refuseSize(field, items.size, { max: ITEMS_MAX, example })) return []
  return [...items].flatMap(([item, child]) => readItem(child, item))
}

function readItem(field: Field, item: string): readonly Rate[] {
  isName(field, item, 'an item')
  const fields = fieldsOf(field, ITEM_KEYS, ITEM_EXAMPLE)
  const componentField = fields?.get('component')
  const component = componentField && readComponent(componentField)
  const ratesField = fields?.get('rates')
  const example = 'write the name of a rate, such as default, with its unit, per and prices'
  const entries = ratesField && entriesOf(ratesField, example)
  if (!entries || !refuseSize(ratesField, entries.size, { max: RATES_PER_ITEM_MAX, example })) return []
  const rates: Rate[] = []
  const rateOf = new Map<string, string>()
  for (const [rate, child] of entries) {
    isName(child, rate, 'a rate')
    const read = readRate(child, { item, rate, component })
    if (!read) continue
    refuseSecondRate(child, read, rateOf)
    rates.push(read)
  }
  return rates
}

/**
 * An (item, operation) is in at most one rate: two would charge one event twice for one thing.
 * @param rateOf the rates of the item's operations so far; grows
 */
function refuseSecondRate(field: Field, { rate, operations }: Rate, rateOf: Map<string, string>): void {
  for (const operation of operations) {
    const first = rateOf.get(operation)
    rateOf.set(operation, first ?? rate)
    if (first === undefined) continue
    const message = `${operation} is in the rates ${quote(first)} and ${quote(rate)} of one item.`
    const fix = 'remove it from one of the two'
    refuse(elementOf(field, 'operations', operation), 'price_book/operation_in_two_rates', message, fix)
  }
}

/** The element of a list below the field that has this value. */
function elementOf(field: Field, key: string, value: string): Field {
  const list = (field.value as { readonly [key: string]: readonly Json[] })[key]!
  return childOf(childOf(field, key, list), list.indexOf(value), value)
}
