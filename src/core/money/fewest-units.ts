import { AMOUNT_DIGITS_MAX, decimal, type Decimal, FRACTION_DIGITS_MAX, plain, times } from './decimal.ts'

/** From which number of units on a price charges anything, by the rule of `divideToAmount`. */
export interface FewestUnits {
  /** The smallest number of units that costs anything. */
  readonly first: bigint
  /** Every number from here on costs something. A number between both does only if its amount ends within 18 places. */
  readonly all: bigint
}

const PLACES = 10n ** BigInt(AMOUNT_DIGITS_MAX)
/** Half of the least amount that is not exact: what does not reach it is rounded to nothing. */
const HALVES = 2n * 10n ** BigInt(FRACTION_DIGITS_MAX)

/**
 * @param price above 0, with at most 12 decimals
 * @param per units that the price is for: a whole number above 0
 */
export function fewestUnits(price: Decimal, per: Decimal): FewestUnits {
  const whole = 10n ** BigInt(FRACTION_DIGITS_MAX)
  const n = BigInt(plain(times(price, decimal(String(whole)))))
  const d = BigInt(plain(per)) * whole
  const divisor = gcd(n, d)
  const [cost, units] = [n / divisor, d / divisor]
  const ends = units / gcd(units, PLACES)
  const reachesHalf = (units + HALVES * cost - 1n) / (HALVES * cost)
  // What is made of units that end, ends.
  if (ends === 1n) return { first: 1n, all: 1n }
  return { first: ends < reachesHalf ? ends : reachesHalf, all: reachesHalf }
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b)
}
