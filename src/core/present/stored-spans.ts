import { isSameSeries, type Level } from '../meter/level.ts'
import { type Decimal, decimal, isZero, times } from '../money/decimal.ts'
import { endOf, type Hour, startOf } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'

/** A level within one hour: `level.bytes` were stored during [from, to). */
export interface StoredSpan {
  readonly level: Level
  readonly from: Instant
  readonly to: Instant
  /** Byte-milliseconds: bytes x (to - from). The spans of a place add up to its line. */
  readonly quantity: Decimal
}

/**
 * How an hour's storage came about: the parts that `integrate` adds up, those of 0 bytes left out.
 * @param levels in the order of `compareLevels`, for each series those within the hour and the one before
 */
export function spansOf(levels: readonly Level[], hour: Hour): readonly StoredSpan[] {
  return levels.flatMap((level, index) => {
    const following = levels[index + 1]
    const ends = following && isSameSeries(level, following) ? following.at : endOf(hour)
    const from = Math.max(level.at, startOf(hour)) as Instant
    const to = Math.min(ends, endOf(hour)) as Instant
    if (to <= from || isZero(level.bytes)) return []
    return [{ level, from, to, quantity: times(level.bytes, decimal(String(to - from))) }]
  })
}
