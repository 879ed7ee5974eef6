import type { Hour } from '../../../time/hour.ts'
import { gained, lost, otherPrice, otherUnit, type RateChange, toPastChange } from './rate-change.ts'
import type { PastChange } from './past-change.ts'
import { stretchesOf } from './timeline.ts'
import { rateKey, samePrice, sameUnit } from './words.ts'
import { type PriceBook, type Rate, ratesFor } from '../price-book.ts'

/**
 * What a new version would charge otherwise for data stored in hours that have begun. Each storage rate stands alone:
 * where it is in force it is charged for every level, and an hour of unknown price may be filled.
 */
export function changedStorage(old: PriceBook, next: PriceBook, firstOpenHour: Hour): readonly PastChange[] {
  const before = new Map(ratesFor(old, 'storage', null).map((rate) => [rateKey(rate), rate]))
  const after = new Map(ratesFor(next, 'storage', null).map((rate) => [rateKey(rate), rate]))
  const keys = [...new Set([...before.keys(), ...after.keys()])]
  return keys
    .flatMap((key) => compareRates(before.get(key), after.get(key), firstOpenHour))
    .map((found) => toPastChange(found, next, firstOpenHour))
}

/** One finding for each thing to correct, with the first hour that shows it. */
function compareRates(
  rate: Rate | undefined,
  other: Rate | undefined,
  firstOpenHour: Hour,
): readonly RateChange[] {
  const found = new Map<string, RateChange>()
  const add = (change: RateChange) => {
    if (!found.has(change.key)) found.set(change.key, change)
  }
  for (const { from: hour, terms } of stretchesOf([rate, other])) {
    if (hour >= firstOpenHour) break
    const [term, otherTerm] = terms
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
