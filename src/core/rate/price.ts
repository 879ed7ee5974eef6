import { type Decimal, divideRounded, times, ZERO } from '../money/decimal.ts'
import type { KnownTerm } from './assess.ts'
import type { Rate } from './price-book.ts'

/** A quantity with its price: enough for anyone to recompute `amount` with pencil and paper. */
export interface Priced {
  /** quantity / units per price: exact up to 12 decimals, else half-even (rounding number one). */
  readonly pricingQuantity: Decimal
  readonly unitPrice: Decimal
  /** pricingQuantity x unitPrice, exact (R12). */
  readonly amount: Decimal
}

/** Put the price of its hour on a quantity of base units, which is negative in a correction that gives back. */
export function price(rate: Rate, term: KnownTerm, quantity: Decimal): Priced {
  const pricingQuantity = divideRounded(quantity, rate.per)
  const unitPrice = term.kind === 'free' ? ZERO : term.unitPrice
  return { pricingQuantity, unitPrice, amount: times(pricingQuantity, unitPrice) }
}
