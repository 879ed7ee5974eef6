/** Exact arithmetic of the auditor's own: integers that count 10^-12 (quantities), 10^-16 (prices) or 10^-18 (amounts). */
export const UNIT = 10n ** 12n
/** A price has 12 decimals, and what is taken off it 4. */
export const PRICE_DIGITS = 16

/** A plain decimal text with at most `digits` decimals, as an integer that counts 10^-digits. */
export function fixed(text: string, digits = 12): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined) throw new Error(`${text} is no plain decimal`)
  const kept = fraction.replace(/0+$/, '')
  if (kept.length > digits) throw new Error(`${text} has more than ${digits} decimals`)
  const value = BigInt(whole + kept.padEnd(digits, '0'))
  return sign ? -value : value
}

/** The nearest integer to a / b, for b above 0; of two as near, the even one. */
export function divideHalfEven(a: bigint, b: bigint): bigint {
  const quotient = a / b
  const remainder = a < 0n ? -(a % b) : a % b
  const away = a < 0n ? quotient - 1n : quotient + 1n
  if (remainder * 2n === b) return quotient % 2n === 0n ? quotient : away
  return remainder * 2n > b ? away : quotient
}

/**
 * The amount of a line, in 10^-18: quantity x price / per, whole if it is a whole number of these, else to the nearest
 * 10^-12.
 * @param quantity in 10^-12; `price` in 10^-16; `per` counts base units
 */
export function amountOf(quantity: bigint, price: bigint, per: bigint): bigint {
  // In 10^-28 / per.
  const product = quantity * price
  const unit = per * 10n ** 10n
  return product % unit === 0n ? product / unit : divideHalfEven(product, unit * 10n ** 6n) * 10n ** 6n
}
