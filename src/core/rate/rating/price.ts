import { type Decimal, divideRounded, divideToAmount, plain, times, ZERO } from '../../money/decimal.ts'
import type { Rate } from '../price-book/price-book.ts'
import type { UnitCost } from './tier-parts.ts'

/** A quantity with its price, as plain decimals: enough for anyone to recompute `amount` with pencil and paper. */
export interface Priced {
  readonly quantity: string
  /** quantity / units per price, half-even to 12 decimals: to be read. The amount is not computed from it. */
  readonly pricingQuantity: string
  readonly unitPrice: string
  /**
   * quantity x unitPrice / units per price, one exact fraction (R12): with all its decimals if they end within 18
   * places, else half-even to 12 (rounding number one).
   */
  readonly amount: string
}

/** Quantities of so few digits come again and again: what they cost is kept with their price. */
const KEPT_DIGITS_MAX = 4
const kept = new WeakMap<UnitCost, Map<string, Priced>>()

/**
 * Put the price of its hour on a quantity of base units, which is negative in a correction that gives back.
 * @param cost a term of the rate, or a tier of one: it never changes, and neither does what a quantity costs under it
 */
export function price(rate: Rate, cost: UnitCost, quantity: Decimal): Priced {
  const text = plain(quantity)
  if (text.length > KEPT_DIGITS_MAX) return priceAnew(rate, cost, quantity, text)
  let known = kept.get(cost)
  if (known === undefined) kept.set(cost, (known = new Map()))
  let priced = known.get(text)
  if (priced === undefined) known.set(text, (priced = priceAnew(rate, cost, quantity, text)))
  return priced
}

function priceAnew(rate: Rate, cost: UnitCost, quantity: Decimal, text: string): Priced {
  const unitPrice = unitPriceOf(cost)
  return {
    quantity: text,
    pricingQuantity: plain(divideRounded(quantity, rate.per)),
    unitPrice: plain(unitPrice),
    amount: plain(divideToAmount(times(quantity, unitPrice), rate.per)),
  }
}

/** Free is a price of 0. */
export function unitPriceOf(cost: UnitCost): Decimal {
  return cost.kind === 'free' ? ZERO : cost.unitPrice
}
