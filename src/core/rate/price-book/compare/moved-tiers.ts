import { formatHourStart, type Hour } from '../../../time/hour.ts'
import type { PriceBook, Rate } from '../price-book.ts'
import { pairRates } from './differences.ts'
import type { PastChange } from './past-change.ts'
import { type RateChange, toPastChange } from './rate-change.ts'
import { placeOfRate, rateKey } from './words.ts'

/**
 * Rates with tiers that would begin earlier. Hours before a rate's first price are held, and may get any price; but usage
 * counts through tiers from the first hour of the month that has some. Tiers, or a price before them, in earlier hours
 * would move the positions of hours that have begun. The tiers may be those of a price list.
 */
export function movedTiers(
  old: PriceBook,
  next: PriceBook,
  firstOpenHour: Hour,
  hasListTiers: (rate: Rate) => boolean,
): readonly PastChange[] {
  return pairRates(old.rates, next.rates).flatMap(({ old: was, next: rate }): PastChange[] => {
    if (!was || !rate || !(hasTiers(was, rate) || hasListTiers(rate))) return []
    const [begins, wouldBegin] = [was.terms[0]!.from, rate.terms[0]!.from]
    if (wouldBegin >= begins || begins >= firstOpenHour) return []
    return [toPastChange(movedStart(rate, begins, wouldBegin), next, firstOpenHour)]
  })
}

function hasTiers(...rates: readonly Rate[]): boolean {
  return rates.some(({ terms }) => terms.some(({ kind }) => kind === 'tiers'))
}

function movedStart(rate: Rate, begins: Hour, wouldBegin: Hour): RateChange {
  const [was, becomes] = [begins, wouldBegin].map((hour) => `from ${formatHourStart(hour)}`) as [
    string,
    string,
  ]
  return {
    key: `tiers\0${rateKey(rate)}`,
    code: 'price_book/changed_price',
    rate,
    names: [],
    hour: begins,
    was,
    becomes,
    message: () =>
      `The prices of ${placeOfRate(rate)} begin ${was}, and would begin ${becomes}: its tiers would count usage of hours that have begun from another position.`,
    fix: () => `begin ${was} as before, and charge what was held before under a rate of another name`,
    pathBelow: () => ['prices', 0, 'from'],
  }
}
