import type { Hour } from '../../../time/hour.ts'
import { pairRates, type RateInBoth, rateStretches } from './differences.ts'
import { gained, lost, otherPrice, otherUnit, type RateChange, toPastChange } from './rate-change.ts'
import type { PastChange } from './past-change.ts'
import { samePrice, sameUnit } from './words.ts'
import { type PriceBook, ratesFor } from '../price-book.ts'

/**
 * What a new version would charge otherwise for data stored in hours that have begun. Each storage rate stands alone:
 * where it is in force it is charged for every level, and an hour of unknown price may be filled.
 */
export function changedStorage(old: PriceBook, next: PriceBook, firstOpenHour: Hour): readonly PastChange[] {
  return pairRates(ratesFor(old, 'storage', null), ratesFor(next, 'storage', null))
    .flatMap((pair) => compareRates(pair, firstOpenHour))
    .map((found) => toPastChange(found, next, firstOpenHour))
}

/** One finding for each thing to correct, with the first hour that shows it. */
function compareRates(both: RateInBoth, firstOpenHour: Hour): readonly RateChange[] {
  const { old: rate, next: other } = both
  const found = new Map<string, RateChange>()
  const add = (change: RateChange) => {
    if (!found.has(change.key)) found.set(change.key, change)
  }
  for (const { from: hour, was: term, becomes: otherTerm } of rateStretches(both)) {
    if (hour >= firstOpenHour) break
    if (term?.kind === 'unknown') continue
    // Not in force is not unknown: nothing is charged for these hours, and unknown would be a way to charge them later.
    if (!rate || term === undefined) {
      if (otherTerm !== undefined) add(gained(other!, [], hour))
    } else if (!other) add(lost(rate, [], hour))
    else {
      const pair = { rate, other, names: [], hour }
      if (!sameUnit(rate, other)) add(otherUnit(pair))
      if (!samePrice(term, otherTerm)) add(otherPrice(pair, term, otherTerm))
    }
  }
  return [...found.values()]
}
