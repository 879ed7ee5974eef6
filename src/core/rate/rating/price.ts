import { type Decimal, divideRounded, plain, times, ZERO } from '../../money/decimal.ts'
import type { KnownTerm } from './assess.ts'
import type { Rate } from '../price-book/price-book.ts'

/** A quantity with its price, as plain decimals: enough for anyone to recompute `amount` with pencil and paper. */
export interface Priced {
  readonly quantity: string
  /** quantity / units per price: exact up to 12 decimals, else half-even (rounding number one). */
  readonly pricingQuantity: string
  readonly unitPrice: string
  /** pricingQuantity x unitPrice, exact (R12). */
  readonly amount: string
}

/** Quantities of so few digits come again and again: what they cost is kept with their price. */
const KEPT_DIGITS_MAX = 4
const kept = new WeakMap<KnownTerm, Map<string, Priced>>()

/**
 * Put the price of its hour on a quantity of base units, which is negative in a correction that gives back.
 * @param term one of the rate's own: a term never changes, and neither does what a quantity costs under it
 */
export function price(rate: Rate, term: KnownTerm, quantity: Decimal): Priced {
  const text = plain(quantity)
  if (text.length > KEPT_DIGITS_MAX) return priceAnew(rate, term, quantity, text)
  let known = kept.get(term)
  if (known === undefined) kept.set(term, (known = new Map()))
  let priced = known.get(text)
  if (priced === undefined) known.set(text, (priced = priceAnew(rate, term, quantity, text)))
  return priced
}

function priceAnew(rate: Rate, term: KnownTerm, quantity: Decimal, text: string): Priced {
  const pricingQuantity = divideRounded(quantity, rate.per)
  const unitPrice = term.kind === 'free' ? ZERO : term.unitPrice
  return {
    quantity: text,
    pricingQuantity: plain(pricingQuantity),
    unitPrice: plain(unitPrice),
    amount: plain(times(pricingQuantity, unitPrice)),
  }
}
