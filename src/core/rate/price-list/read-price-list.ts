import {
  compare,
  type Decimal,
  decimal,
  fitsDigits,
  isNegative,
  isPlain,
  isZero,
  ONE,
} from '../../money/decimal.ts'
import type { Json } from '../../text/canonical-json.ts'
import { nearest } from '../../text/nearest.ts'
import type { Hour } from '../../time/hour.ts'
import { stretchesOf } from '../price-book/compare/timeline.ts'
import { placeOfRate } from '../price-book/compare/words.ts'
import type { PriceBookProblem } from '../price-book/parse/problem.ts'
import {
  elementsOf,
  entriesOf,
  type Field,
  fieldsOf,
  isName,
  type Keys,
  kindOf,
  placeOf,
  refuse,
  refuseSize,
} from '../price-book/parse/read-field.ts'
import { readHour } from '../price-book/parse/read-hour.ts'
import { PRICES_PER_RATE_MAX, readListTerms, refuseOrder } from '../price-book/parse/read-terms.ts'
import { readUnitPrice } from '../price-book/parse/read-unit-price.ts'
import { ITEMS_MAX, RATES_PER_ITEM_MAX } from '../price-book/parse/read-price-book.ts'
import { type PriceBook, type Rate, termInForce } from '../price-book/price-book.ts'
import {
  type Discount,
  type ListRate,
  listRateKey,
  type ListTerm,
  type Minimum,
  type PriceList,
} from './price-list.ts'

export type ReadPriceList =
  | { readonly ok: true; readonly list: PriceList }
  | { readonly ok: false; readonly problems: readonly PriceBookProblem[] }

/** Decimals of a discount: 0.1250 is 12.5 %. */
export const DISCOUNT_DIGITS_MAX = 4

const LIST_KEYS: Keys = { required: { priceList: 'acme' }, optional: ['discount', 'minimum', 'items'] }
const LIST_EXAMPLE = 'write priceList: a name, and discount:, minimum: or items:'
const ITEM_KEYS: Keys = { required: { rates: 'with prices' }, optional: [] }
const RATE_KEYS: Keys = {
  required: { prices: '[{ from: "2027-01-01T00:00:00Z", price: "0.02" }]' },
  optional: [],
}

/** What holds before any hour that a list names: a discount that is written without a time. */
const ALWAYS = 0 as Hour

/**
 * Read a price list from plain data, for the rates of a book. Every problem is reported (the first 100).
 * @param book of the version that the list is to be part of
 */
export function readPriceList(data: Json, book: PriceBook): ReadPriceList {
  const problems: PriceBookProblem[] = []
  const root: Field = { value: data, path: [], problems }
  const fields = fieldsOf(root, LIST_KEYS, LIST_EXAMPLE)
  if (!fields) return { ok: false, problems }
  const name = fields.get('priceList')
  if (name) isName(name, name.value, 'the price list')
  const discounts = datedOf(fields.get('discount'), 'discount', readDiscount)
  const minimums = datedOf(fields.get('minimum'), 'amount', readMinimum)
  const rates = readItems(fields.get('items'), book)
  if (discounts.length + minimums.length + rates.length === 0 && problems.length === 0) {
    refuse(
      root,
      'price_book/empty',
      'The price list has no discount, no minimum and no prices.',
      LIST_EXAMPLE,
    )
  }
  if (problems.length > 0) return { ok: false, problems }
  const list: PriceList = {
    name: name!.value as string,
    discounts,
    minimums,
    rates: new Map(rates.map((rate) => [listRateKey(rate), rate])),
  }
  return { ok: true, list }
}

/** A value that always holds, or a list of values that each hold from a time on. */
function datedOf<Value extends { readonly from: Hour }>(
  field: Field | undefined,
  key: string,
  read: (field: Field, fields: ReadonlyMap<string, Field> | undefined, from: Hour) => Value | undefined,
): readonly Value[] {
  if (!field) return []
  if (!Array.isArray(field.value))
    return [read(field, undefined, ALWAYS)].filter((value) => value !== undefined)
  const keys: Keys = { required: { from: '"2027-01-01T00:00:00Z"', [key]: '"0.15"' }, optional: ['per'] }
  const example = `write [{ from: "2027-01-01T00:00:00Z", ${key}: … }]`
  const values: Value[] = []
  for (const element of elementsOf(field, { max: PRICES_PER_RATE_MAX, example }) ?? []) {
    const fields = fieldsOf(element, keys, example)
    const fromField = fields?.get('from')
    const from = fromField && readHour(fromField)
    if (!fields || from === undefined) continue
    const value = read(element, fields, from)
    const last = values.at(-1)
    if (last && from <= last.from) refuseOrder(fromField!)
    if (value) values.push(value)
  }
  return values
}

function readDiscount(
  field: Field,
  fields: ReadonlyMap<string, Field> | undefined,
  from: Hour,
): Discount | undefined {
  const at = fields ? fields.get('discount') : field
  const share = at && readShare(at)
  return share && { from, share }
}

/** A quoted decimal from 0 to 1: 0.15 takes 15 % off. */
function readShare(field: Field): Decimal | undefined {
  const { value } = field
  const fix = `write a part of 1 in quotes, with at most ${DISCOUNT_DIGITS_MAX} decimals: "0.15" takes 15 % off`
  const message = `${placeOf(field)} is ${kindOf(value)}, not a discount from 0 to 1.`
  if (typeof value !== 'string' || !isPlain(value) || !fitsDigits(value)) {
    return refuse(field, 'price_list/not_a_discount', message, fix)
  }
  const share = decimal(value)
  const decimals = value.split('.')[1]?.length ?? 0
  if (isNegative(share) || compare(share, ONE) > 0 || decimals > DISCOUNT_DIGITS_MAX) {
    return refuse(field, 'price_list/not_a_discount', message, fix)
  }
  return share
}

const MINIMUM_KEYS: Keys = { required: { amount: '"500"', per: 'month' }, optional: ['from'] }

function readMinimum(
  field: Field,
  dated: ReadonlyMap<string, Field> | undefined,
  from: Hour,
): Minimum | undefined {
  const example = 'write { amount: "500", per: month }'
  const fields = fieldsOf(field, MINIMUM_KEYS, example)
  if (!fields) return undefined
  const per = fields.get('per')
  if (per && per.value !== 'month') {
    refuse(
      per,
      'price_list/not_a_minimum',
      `${placeOf(per)} is ${kindOf(per.value)}, not month.`,
      'write per: month',
    )
  }
  if (!dated && fields.has('from')) {
    refuse(
      field,
      'price_list/not_a_minimum',
      `${placeOf(field)} has a from, and is no list.`,
      `${example} in a list`,
    )
  }
  const amountField = fields.get('amount')
  const amount = amountField && readUnitPrice(amountField, 'write amount: "500"')
  return amount && { from, amount, per: 'month' }
}

function readItems(field: Field | undefined, book: PriceBook): readonly ListRate[] {
  const example = 'write the name of an item of the price book with its rates'
  const items = field && entriesOf(field, example)
  if (!items || !refuseSize(field, items.size, { max: ITEMS_MAX, example })) return []
  return [...items].flatMap(([item, child]) => {
    const rates = fieldsOf(child, ITEM_KEYS, 'write rates: with prices')?.get('rates')
    const entries = rates && entriesOf(rates, 'write the name of a rate, such as default, with its prices')
    if (!entries || !refuseSize(rates, entries.size, { max: RATES_PER_ITEM_MAX, example })) return []
    return [...entries].flatMap(([rate, entry]) => readRate(entry, { item, rate }, book) ?? [])
  })
}

function readRate(
  field: Field,
  { item, rate: name }: Pick<Rate, 'item' | 'rate'>,
  book: PriceBook,
): ListRate | undefined {
  const rate = book.rates.find((one) => one.item === item && one.rate === name)
  if (rate === undefined) return refuseRate(field, { item, rate: name }, book)
  const fields = fieldsOf(field, RATE_KEYS, 'write prices: [{ from: "2027-01-01T00:00:00Z", price: "0.02" }]')
  const pricesField = fields?.get('prices')
  if (!pricesField) return undefined
  const terms = readListTerms(pricesField, { text: rate.pricingUnit, units: rate.per })
  refuseNearUnknown(pricesField, rate, terms)
  refuseFreePublicly(pricesField, rate, terms)
  return { item, rate: name, terms }
}

function refuseRate(field: Field, named: Pick<Rate, 'item' | 'rate'>, { rates }: PriceBook): undefined {
  const place = placeOfRate(named)
  const guess = nearest(place, rates.map(placeOfRate))
  const fix = guess ? `write ${guess}` : 'name a rate of the price book, or remove it'
  return refuse(field, 'price_list/unknown_rate', `The price book has no rate ${place}.`, fix)
}

/** A public price that is filled in later would move positions that were billed under tiers of the list. */
function refuseNearUnknown(field: Field, rate: Rate, terms: readonly ListTerm[]): void {
  const first = terms.find(({ kind }) => kind === 'tiers')
  if (first === undefined) return
  for (const { to, terms: publicTerms } of stretchesOf([rate])) {
    if (publicTerms[0]?.kind !== 'unknown' || (to !== undefined && to < first.from)) continue
    const message = `${placeOf(field)} has tiers, and the public price of ${placeOfRate(rate)} is unknown then, or just before.`
    refuse(field, 'price_list/tiers_after_unknown', message, 'fill in the public price first')
    return
  }
}

/** What is free publicly is charged only by a term that says so. */
function refuseFreePublicly(field: Field, rate: Rate, terms: readonly ListTerm[]): void {
  for (const [index, term] of terms.entries()) {
    if (term.evenIfFree || costsNothing(term)) continue
    const to = terms[index + 1]?.from ?? Infinity
    const hours = [term.from, ...rate.terms.map(({ from }) => from)]
    const isFree = hours.some(
      (hour) => hour >= term.from && hour < to && termInForce(rate, hour)?.kind === 'free',
    )
    if (!isFree) continue
    const message = `${placeOf(field)}[${index}] has a price, and ${placeOfRate(rate)} is free publicly in its time.`
    const at: Field = { ...field, path: [...field.path, index] }
    refuse(at, 'price_list/free_publicly', message, 'add evenIfFree: true to charge for it, or begin later')
  }
}

function costsNothing(term: ListTerm): boolean {
  if (term.kind === 'free') return true
  if (term.kind === 'price') return isZero(term.unitPrice)
  return term.tiers.every(({ unitPrice }) => isZero(unitPrice))
}
