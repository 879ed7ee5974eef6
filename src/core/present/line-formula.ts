import { AMOUNT_DIGITS_MAX, compare, decimal, FRACTION_DIGITS_MAX, plain, times } from '../money/decimal.ts'
import { unitsOf } from '../rate/price-book/per.ts'
import type { LineView } from './bill-view.ts'
import { countOf, readableNumber } from './readable-text.ts'

export type FormulaLine = Pick<
  LineView,
  'quantity' | 'pricingQuantity' | 'pricingUnit' | 'unitPrice' | 'amount'
>

/** What a formula may say besides its numbers. */
export interface FormulaWords {
  readonly unit: string
  readonly currency: string
}

/**
 * Used × price / per = amount, so that a reader can redo it (R12): `613,822 milliseconds × 0.0084 / 60,000 =
 * 0.08593508 USD`. Where the fraction does not end within 18 places, `≈` stands before the amount, and why.
 */
export function lineFormula(line: FormulaLine, { unit, currency }: Partial<FormulaWords> = {}): string {
  const used = unit === undefined ? readableNumber(line.quantity) : countOf(line.quantity, unit)
  const per = plain(unitsOf(line.pricingUnit))
  const fraction = `${used} × ${readableNumber(line.unitPrice)}${per === '1' ? '' : ` / ${readableNumber(per)}`}`
  const amount = `${readableNumber(line.amount)}${currency === undefined ? '' : ` ${currency}`}`
  if (!isRounded(line)) return `${fraction} = ${amount}`
  return `${fraction} ≈ ${amount} (more than ${AMOUNT_DIGITS_MAX} decimals: rounded to ${FRACTION_DIGITS_MAX})`
}

/** Does the fraction not end within 18 places? Then the amount is the nearest of 12 decimals. */
function isRounded({ quantity, pricingUnit, unitPrice, amount }: FormulaLine): boolean {
  const [used, price] = [decimal(quantity), decimal(unitPrice)]
  return compare(times(decimal(amount), unitsOf(pricingUnit)), times(used, price)) !== 0
}

/** Is pricing quantity × price the amount, to the last digit? Not always: both may be rounded, each by itself. */
export function multipliesOut(line: FormulaLine): boolean {
  const product = times(decimal(line.pricingQuantity), decimal(line.unitPrice))
  return compare(product, decimal(line.amount)) === 0 && !isRounded(line)
}
