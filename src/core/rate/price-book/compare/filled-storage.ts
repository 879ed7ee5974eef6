import type { Hour } from '../../../time/hour.ts'
import { pairRates, rateStretches } from './differences.ts'
import { type PriceBook, type PriceTerm, ratesFor } from '../price-book.ts'

/**
 * The first hour for which stored data has a price in a newer version and had none in an older one.
 * @param before only hours before this one are looked at
 * @returns undefined: there is none
 */
export function storageFilledFrom(old: PriceBook, next: PriceBook, before: Hour): Hour | undefined {
  if (old === next) return undefined
  const rates = pairRates(ratesFor(old, 'storage', null), ratesFor(next, 'storage', null))
  const filled = rates.flatMap((rate) => {
    for (const { from, was, becomes } of rateStretches(rate)) {
      if (from >= before) break
      if (!hasPrice(was) && hasPrice(becomes)) return [from]
    }
    return []
  })
  return filled.toSorted((a, b) => a - b)[0]
}

/** Free is a price, too. */
function hasPrice(term: PriceTerm | undefined): boolean {
  return term !== undefined && term.kind !== 'unknown'
}
