import { invalidFact } from './meter-error.ts'

/** How much: a bigint, a whole number that JavaScript holds exactly, or a decimal string such as "12.5". */
export type Quantity = bigint | number | string

/** Digits of a quantity before the point and after it, as the server takes them. */
export const INTEGER_DIGITS_MAX = 30
export const FRACTION_DIGITS_MAX = 12

const PLAIN = /^(?:0|[1-9]\d*)(?:\.\d+)?$/

/**
 * The plain decimal text of a quantity of at least 0. Quantities are text from here on: no float is ever sent.
 * @param name where it stands, for the message
 * @throws sdk/invalid_fact for anything that could have lost a digit already
 */
export function quantityText(value: unknown, name: string): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw invalidFact(
      `${name} is the number ${value}, which may have lost digits: pass a bigint or a decimal string.`,
    )
  }
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') {
    throw invalidFact(`${name} is no quantity: pass a bigint, a whole number or a decimal string.`)
  }
  // -0 is 0.
  const text = typeof value === 'string' ? value : String(value)
  if (text.startsWith('-')) throw invalidFact(`${name} is negative: pass 0 or more.`)
  if (!PLAIN.test(text)) {
    throw invalidFact(`${name} is no plain decimal: pass digits and at most one point, such as "12.5".`)
  }
  const [whole = '', fraction = ''] = text.split('.')
  if (whole.length > INTEGER_DIGITS_MAX || fraction.length > FRACTION_DIGITS_MAX) {
    const most = `${INTEGER_DIGITS_MAX} before and ${FRACTION_DIGITS_MAX} after the point`
    throw invalidFact(`${name} has too many digits: pass at most ${most}.`)
  }
  return text
}

/** As `quantityText`, and whole: calls and bytes do not come in parts. */
export function wholeText(value: unknown, name: string): string {
  const text = quantityText(value, name)
  if (!text.includes('.')) return text
  const [whole = '', fraction = ''] = text.split('.')
  if (/^0*$/.test(fraction)) return whole
  throw invalidFact(`${name} is not a whole number: pass it without a fraction.`)
}
