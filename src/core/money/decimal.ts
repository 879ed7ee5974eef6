import Big from 'big.js'

/** Digits before the point that a quantity may have, and after it that a quantity or price may have. */
export const INTEGER_DIGITS_MAX = 30
export const FRACTION_DIGITS_MAX = 12
/** Decimals that an amount may have: a fraction whose decimals do not end within so many is rounded to 12. */
export const AMOUNT_DIGITS_MAX = 18

/**
 * Exact decimals for quantities, prices and amounts (ARCHITECTURE.md). The one place where Farthing depends
 * on a decimal package, in strict mode: a JavaScript number cannot enter, and cannot leave.
 */
const Exact = Big()
Exact.strict = true
Exact.DP = FRACTION_DIGITS_MAX // of the quotients of `divideRounded` alone
Exact.RM = 2 // half-even

/** The same decimals, whose quotients have up to 18 places: for `divideToAmount` alone. */
const Ending = Big()
Ending.strict = true
Ending.DP = AMOUNT_DIGITS_MAX
Ending.RM = 2

/** An exact decimal. Made from text by `decimal`, read as text by `plain`. */
export type Decimal = Big

const PLAIN = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/

/** The decimal that a plain text such as `-12.50` names. The caller has checked it with `isPlain`. */
export function decimal(text: string): Decimal {
  return new Exact(text)
}

/** Is this a plain decimal: digits, at most one point, no exponent, no leading zero, no sign but `-`? */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

/**
 * Can a quantity or price be this long: at most 30 digits before the point and 12 after it?
 * @param text a plain decimal
 */
export function fitsDigits(text: string): boolean {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  return whole.length <= INTEGER_DIGITS_MAX && fraction.length <= FRACTION_DIGITS_MAX
}

/** The shortest plain text: no exponent, no trailing zeros, no `-0`. The same value is the same text. */
export function plain(value: Decimal): string {
  return isZero(value) ? '0' : value.toFixed()
}

export const ZERO: Decimal = decimal('0')
export const ONE: Decimal = decimal('1')

export function plus(a: Decimal, b: Decimal): Decimal {
  return a.plus(b)
}

export function minus(a: Decimal, b: Decimal): Decimal {
  return a.minus(b)
}

/** The exact product: no digit is dropped. */
export function times(a: Decimal, b: Decimal): Decimal {
  return a.times(b)
}

export function negated(a: Decimal): Decimal {
  return isZero(a) ? a : a.times(decimal('-1'))
}

export function sum(values: Iterable<Decimal>): Decimal {
  let total = ZERO
  for (const value of values) total = total.plus(value)
  return total
}

/**
 * The quotient: exact if it has at most 12 decimals, else half-even to 12. For pricing quantities, which are there to
 * be read: nothing is computed from one.
 * @param b not zero
 */
export function divideRounded(a: Decimal, b: Decimal): Decimal {
  return a.div(b)
}

/**
 * The quotient as an amount of money (ARCHITECTURE.md, rounding number one): with all its decimals if these end within
 * 18 places, that is if it is a whole number of 10^-18; else half-even to 12, from the exact fraction. The quotient of
 * -a is minus that of a.
 * @param b not zero
 */
export function divideToAmount(a: Decimal, b: Decimal): Decimal {
  const ending = new Ending(a).div(b)
  return ending.times(b).eq(a) ? new Exact(ending) : a.div(b)
}

/** -1, 0 or 1 as `a` is below, equal to or above `b`. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  return a.cmp(b)
}

export function isZero(value: Decimal): boolean {
  return value.c[0] === 0
}

export function isNegative(value: Decimal): boolean {
  return value.s < 0 && !isZero(value)
}

/** Is it a whole number? */
export function isWhole(value: Decimal): boolean {
  return value.round(0, 0).eq(value)
}
