import type { Hour } from '../../core/time/hour.ts'
import { type IdentitySegment, readIdentitySegments } from '../../store/identity-segments.ts'
import type { Sql } from '../../store/query.ts'

/** What was settled around some hours, in the buckets that a transaction has claimed. */
export interface IdentityWindow {
  /** How far apart duplicates of one identity are found. */
  readonly hours: number
  /** The segments that may have duplicates of events of these usage hours, in no order. */
  around(sql: Sql, buckets: readonly number[], usageHours: readonly Hour[]): AsyncGenerator<IdentitySegment>
}

/** Reads the window again for each hour: nothing is kept in memory. */
export function readingWindow(hours: number): IdentityWindow {
  return {
    hours,
    around: (sql, buckets, usageHours) => {
      return readIdentitySegments(sql, { ...reach(usageHours, hours), buckets, after: 0 })
    },
  }
}

/**
 * Reads the window once for several hours that are settled one after the other, and then only what was added. Anyone who
 * adds identities of a bucket has claimed it, so what was seen once stays as it was seen.
 */
export function keepingWindow(hours: number): IdentityWindow {
  let kept = { buckets: '', from: Infinity, segments: [] as IdentitySegment[], last: 0 }
  return {
    hours,
    async *around(sql, buckets, usageHours) {
      const { from, to } = reach(usageHours, hours)
      const names = buckets.join()
      if (from < kept.from || names !== kept.buckets) kept = { buckets: names, from, segments: [], last: 0 }
      const added = { from: kept.from as Hour, to: FOREVER, buckets, after: kept.last }
      for await (const segment of readIdentitySegments(sql, added)) {
        kept.segments.push(segment)
        kept.last = Math.max(kept.last, segment.number)
      }
      for (const segment of kept.segments) {
        if (segment.hour < to && segment.hour + segment.hours > from) yield segment
      }
    },
  }
}

const FOREVER = (2 ** 31 - 1) as Hour

/** Usage hours in [from, to). */
function reach(usageHours: readonly Hour[], hours: number): { readonly from: Hour; readonly to: Hour } {
  const from = (Math.min(...usageHours) - hours) as Hour
  return { from, to: (Math.max(...usageHours) + hours + 1) as Hour }
}
