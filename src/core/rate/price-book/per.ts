import { invariant } from '../../invariant.ts'
import { type Decimal, decimal, INTEGER_DIGITS_MAX, times } from '../../money/decimal.ts'
import { MILLISECONDS_PER_HOUR } from '../../time/hour.ts'

/** Milliseconds of a time that a price can be for. */
const TIMES: ReadonlyMap<string, Decimal> = new Map([
  ['second', decimal('1000')],
  ['minute', decimal('60000')],
  ['hour', decimal('3600000')],
])

/** Bytes of a size that a price can be for: KB to TB are powers of 1000, KiB to TiB powers of 1024. */
const SIZES: ReadonlyMap<string, Decimal> = new Map(
  ['K', 'M', 'G', 'T'].flatMap((prefix, index) => [
    [`${prefix}B`, power('1000', index + 1)] as const,
    [`${prefix}iB`, power('1024', index + 1)] as const,
  ]),
)

export const TIME_NAMES: readonly string[] = [...TIMES.keys()]
export const SIZE_NAMES: readonly string[] = [...SIZES.keys()]

/** What one unit price is for, as written in a price book (ARCHITECTURE.md). */
export interface Per {
  /** `count` of any unit, `time` of milliseconds, `size` of bytes, `level` of byte-milliseconds. */
  readonly kind: 'count' | 'time' | 'size' | 'level'
  /** In base units: 1000, 60000 milliseconds, 10^9 bytes, 3.6e15 byte-milliseconds. Above 0. */
  readonly units: Decimal
  /** As it is shown: `1000` (the unit's name follows), `minute`, `GB`, `GB-hour`. */
  readonly text: string
}

/**
 * Read `1000` (a number or digits), `minute`, `GB` or `GB-hour`; undefined for anything else.
 * A number must be a safe integer: beyond 2^53 digits are lost before we see them, and text is exact.
 */
export function readPer(value: number | string): Per | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? readPer(String(value)) : undefined
  if (/^[1-9]\d*$/.test(value) && value.length <= INTEGER_DIGITS_MAX) {
    return { kind: 'count', units: decimal(value), text: value }
  }
  const milliseconds = TIMES.get(value)
  if (milliseconds) return { kind: 'time', units: milliseconds, text: value }
  const bytes = SIZES.get(value)
  if (bytes) return { kind: 'size', units: bytes, text: value }
  const level = value.endsWith('-hour') ? SIZES.get(value.slice(0, -'-hour'.length)) : undefined
  if (!level) return undefined
  return { kind: 'level', units: times(level, decimal(String(MILLISECONDS_PER_HOUR))), text: value }
}

/**
 * Base units for one unit price, from a line's own words: 1000 of `1000 call`, 60000 of `minute`.
 * @param pricingUnit as `readRate` makes it
 */
export function unitsOf(pricingUnit: string): Decimal {
  const per = readPer(/^(\d+) /.exec(pricingUnit)?.[1] ?? pricingUnit)
  invariant(per !== undefined, `${pricingUnit} is the pricing unit of a rate`)
  return per.units
}

function power(base: string, exponent: number): Decimal {
  return Array.from({ length: exponent }, () => decimal(base)).reduce(times)
}
