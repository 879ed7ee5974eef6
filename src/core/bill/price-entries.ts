import { invariant } from '../invariant.ts'
import { type AccountPrices, effectiveTerm, paysPublicFlat } from '../rate/rating/account-prices.ts'
import {
  flatPart,
  moveOf,
  partsFrom,
  type Positions,
  type PricedPart,
  type StretchPosition,
} from '../rate/rating/priced-parts.ts'
import type { Entry } from './tally.ts'

/** The entries of a bill with the prices that an account pays for them. */
export interface PricedEntries {
  /** At least one for each entry, the lowest tier first; what is waived is on the first of them. */
  readonly parts: ReadonlyMap<Entry, readonly PricedPart[]>
  /** Those that the entries have moved. */
  readonly positions: Positions
}

/**
 * Price the entries of one bill, each at the position that those before it leave.
 * @param entries usage hours ascending, and in an hour in the order of the bill
 */
export function priceEntries(
  prices: AccountPrices,
  entries: readonly Entry[],
  before: Positions,
): PricedEntries {
  const moved = new Map<string, StretchPosition>()
  const parts = new Map<Entry, readonly PricedPart[]>()
  for (const entry of entries) {
    if (paysPublicFlat(prices, entry.rate)) {
      invariant(entry.term.kind !== 'tiers', 'a rate without tiers has no term with tiers')
      parts.set(entry, [flatPart(entry, entry.term)])
      continue
    }
    const terms = effectiveTerm(prices, entry.rate, entry.usageHour)
    const move = moveOf([moved, before], entry, terms)
    if (move) moved.set(move.name, move.after)
    parts.set(entry, partsFrom(move?.before, entry, terms))
  }
  return { parts, positions: moved }
}

/** Before others: usage hours ascending, in which positions count. */
export function inHours(inHour: (a: Entry, b: Entry) => number): (a: Entry, b: Entry) => number {
  return (a, b) => a.usageHour - b.usageHour || inHour(a, b)
}
