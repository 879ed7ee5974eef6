import type { Hour } from '../../../time/hour.ts'
import { stretchesOf } from './timeline.ts'
import { rateKey } from './words.ts'
import { type PriceBook, type PriceTerm, ratesFor } from '../price-book.ts'

/**
 * The first hour for which stored data has a price in a newer version and had none in an older one.
 * @param before only hours before this one are looked at
 * @returns undefined: there is none
 */
export function storageFilledFrom(old: PriceBook, next: PriceBook, before: Hour): Hour | undefined {
  if (old === next) return undefined
  const known = new Map(ratesFor(old, 'storage', null).map((rate) => [rateKey(rate), rate]))
  const filled = ratesFor(next, 'storage', null).flatMap((rate) => {
    for (const { from, terms } of stretchesOf([known.get(rateKey(rate)), rate])) {
      if (from >= before) break
      if (!hasPrice(terms[0]) && hasPrice(terms[1])) return [from]
    }
    return []
  })
  return filled.toSorted((a, b) => a - b)[0]
}

/** Free is a price, too. */
function hasPrice(term: PriceTerm | undefined): boolean {
  return term !== undefined && term.kind !== 'unknown'
}
