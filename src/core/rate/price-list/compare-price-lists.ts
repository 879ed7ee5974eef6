import { compare } from '../../money/decimal.ts'
import { formatHourStart, type Hour } from '../../time/hour.ts'
import { priceWords } from '../price-book/compare/words.ts'
import type { PriceBookProblem } from '../price-book/parse/problem.ts'
import { differencesOf, inForce } from './dated.ts'
import { sameTerm } from './list-changes.ts'
import type { ListRate, ListTerm, PriceList } from './price-list.ts'

/**
 * What a new version of a price list would change for hours that have begun, which nothing may: one problem for each rate,
 * and for discount and minimum, with the first hour that differs.
 */
export function comparePriceLists(
  old: PriceList,
  next: PriceList,
  firstOpenHour: Hour,
): readonly PriceBookProblem[] {
  const keys = [...new Set([...old.rates.keys(), ...next.rates.keys()])]
  const rates = keys.flatMap((key) => changedRate(old.rates.get(key), next.rates.get(key), firstOpenHour))
  return [
    ...rates,
    ...changedDated(
      'discount',
      old.discounts,
      next.discounts,
      firstOpenHour,
      (a, b) => compare(a.share, b.share) === 0,
    ),
    ...changedDated(
      'minimum',
      old.minimums,
      next.minimums,
      firstOpenHour,
      (a, b) => compare(a.amount, b.amount) === 0,
    ),
  ]
}

function changedRate(
  old: ListRate | undefined,
  next: ListRate | undefined,
  firstOpenHour: Hour,
): readonly PriceBookProblem[] {
  const { item, rate } = (next ?? old)!
  const [was, becomes] = [old?.terms ?? [], next?.terms ?? []]
  const hour = firstDifference(was, becomes, firstOpenHour, sameTerm)
  if (hour === undefined) return []
  const words = [was, becomes].map((terms) => wordsAt(terms, hour))
  const message = `The price of ${item}/${rate} at ${formatHourStart(hour)} is ${words[0]}, and would be ${words[1]}.`
  const path = ['items', item, 'rates', rate, 'prices']
  return [{ path, code: 'price_list/changes_past', message, fix: fixFrom(firstOpenHour) }]
}

function wordsAt(terms: readonly ListTerm[], hour: Hour): string {
  const term = inForce(terms, hour)
  return term ? priceWords(term) : 'the public one with the discount'
}

function changedDated<Value extends { readonly from: Hour }>(
  key: 'discount' | 'minimum',
  old: readonly Value[],
  next: readonly Value[],
  firstOpenHour: Hour,
  isSame: (a: Value, b: Value) => boolean,
): readonly PriceBookProblem[] {
  const hour = firstDifference(old, next, firstOpenHour, isSame)
  if (hour === undefined) return []
  const message = `The ${key} at ${formatHourStart(hour)} would be another one.`
  return [{ path: [key], code: 'price_list/changes_past', message, fix: fixFrom(firstOpenHour) }]
}

function fixFrom(firstOpenHour: Hour): string {
  const open = formatHourStart(firstOpenHour)
  return `keep what was until "${open}", and write what is to change with from: "${open}" or later`
}

/** The first hour that has begun and in which two lists of dated values say different things. */
function firstDifference<Value extends { readonly from: Hour }>(
  old: readonly Value[],
  next: readonly Value[],
  firstOpenHour: Hour,
  isSame: (a: Value, b: Value) => boolean,
): Hour | undefined {
  const { value: first } = differencesOf(old, next, isSame).next()
  return first && first.from < firstOpenHour ? first.from : undefined
}
