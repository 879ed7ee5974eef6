import { type Decimal, decimal, fitsDigits, isPlain, plain } from '../../../money/decimal.ts'
import { type Field, kindOf, placeOf, refuse } from './read-field.ts'

/**
 * A quoted decimal of at least 0. Null is nothing and never 0; a number has lost its digits.
 * @param choices what to write where it is no price at all
 */
export function readUnitPrice(field: Field, choices: string): Decimal | undefined {
  const { value } = field
  if (typeof value === 'number') return refuseNumber(field, value)
  const message = `${placeOf(field)} is ${kindOf(value)}, not a price.`
  if (typeof value !== 'string') return refuse(field, 'price_book/not_a_price', message, choices)
  if (value.startsWith('-')) {
    return refuse(field, 'price_book/not_a_price', `${placeOf(field)} is below 0.`, 'write 0 or more')
  }
  if (!isPlain(value)) {
    const fix = 'write digits and at most one point, such as "0.028", or unknown'
    return refuse(field, 'price_book/not_a_price', message, fix)
  }
  if (fitsDigits(value)) return decimal(value)
  const fix = 'write at most 30 digits before the point and 12 after it'
  return refuse(field, 'price_book/not_a_price', `${placeOf(field)} has too many digits.`, fix)
}

function refuseNumber(field: Field, value: number): undefined {
  const text = String(value)
  const fix = isPlain(text) ? `write it in quotes: "${plain(decimal(text))}"` : 'write it in quotes'
  const message = `${placeOf(field)} is the number ${text}, which may have lost digits.`
  return refuse(field, 'price_book/price_not_quoted', message, fix)
}
