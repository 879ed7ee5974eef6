import { type Decimal, decimal, isZero, times } from '../../../money/decimal.ts'
import { fewestUnits } from '../../../money/fewest-units.ts'
import { formatHour, MILLISECONDS_PER_HOUR } from '../../../time/hour.ts'
import type { PriceBook, PriceTerm, Rate } from '../price-book.ts'
import type { PriceBookRemark } from './problem.ts'

/** 1 KB, in bytes: the smallest size that a price can be for. */
const SMALLEST_SIZE = 1000n

/**
 * Prices with which the smallest use costs nothing, because its amount is rounded to 12 decimals: one unit; of stored
 * data 1 KB for an hour (a byte for a millisecond costs nothing at any usual price). A line prices the sum of an hour,
 * so nothing is lost where an hour has more.
 */
export function pricesOfNothing({ rates }: PriceBook): readonly PriceBookRemark[] {
  return rates.flatMap((rate) =>
    rate.terms.flatMap((term, index) =>
      pricesOf(term).flatMap(({ unitPrice, below }) => {
        if (isZero(unitPrice)) return []
        const price = { unitPrice, from: term.from }
        const message = rate.component === 'storage' ? ofStored(rate, price) : ofUnit(rate, price)
        if (message === undefined) return []
        const path = ['items', rate.item, 'rates', rate.rate, 'prices', index, ...below, 'price']
        return [{ path, code: 'price_book/costs_nothing', message, fix: FIX } as const]
      }),
    ),
  )
}

interface Below extends Pick<Price, 'unitPrice'> {
  /** Where it stands below its term. */
  readonly below: readonly (string | number)[]
}

function pricesOf(term: PriceTerm): readonly Below[] {
  if (term.kind === 'price') return [{ unitPrice: term.unitPrice, below: [] }]
  if (term.kind !== 'tiers') return []
  return term.tiers.map(({ unitPrice }, index) => ({ unitPrice, below: ['tiers', index] }))
}

const FIX = 'leave it if the lines of an hour have more; else raise the price, or count larger units'

type Price = Pick<Extract<PriceTerm, { kind: 'price' }>, 'unitPrice' | 'from'>

function ofUnit({ unit, per, ...rate }: Rate, term: Price): string | undefined {
  const { first, all } = fewestUnits(term.unitPrice, per)
  if (first === 1n) return undefined
  const others = first === all ? '' : `, and from ${all} on every one does`
  return `1 ${unit} costs nothing ${under(rate, term)}: the smallest quantity that costs anything is ${first}${others}.`
}

/** Whole hours of a smaller size cost something if their amount ends within 18 decimals; parts of an hour seldom do. */
function ofStored({ per, ...rate }: Rate, term: Price): string | undefined {
  const { all } = fewestUnits(times(term.unitPrice, WHOLE_HOUR), per)
  if (all <= SMALLEST_SIZE) return undefined
  return `1 KB for an hour may cost nothing ${under(rate, term)}: the smallest size that always costs something is ${all} bytes for an hour.`
}

const WHOLE_HOUR: Decimal = decimal(String(MILLISECONDS_PER_HOUR))

function under({ item, rate }: Pick<Rate, 'item' | 'rate'>, { from }: Price): string {
  return `under ${item}/${rate} from ${formatHour(from)} on`
}
