import { PARQUET_DIGITS_MAX } from './table.ts'

/**
 * A plain decimal as a whole number of 10^-scale, exactly; undefined if it has more decimals than that, or more digits than a
 * decimal of Parquet has.
 */
export function unscaled(text: string, scale: number): bigint | undefined {
  const [whole = '', fraction = ''] = text.split('.')
  const digits = fraction.replace(/0+$/, '')
  if (digits.length > scale) return undefined
  const value = BigInt(whole + digits.padEnd(scale, '0'))
  return value < LIMIT && value > -LIMIT ? value : undefined
}

const LIMIT = 10n ** BigInt(PARQUET_DIGITS_MAX)
