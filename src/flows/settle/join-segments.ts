import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import type { Hour } from '../../core/time/hour.ts'
import {
  insertIdentitySegment,
  deleteIdentitySegments,
  lockIdentityDays,
  readIdentitySegments,
  listSegmentParts,
  SEGMENT_HOURS,
  type SegmentPart,
} from '../../store/identity-segments.ts'
import { run, runOne } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { joined } from './find-duplicates-across-hours.ts'

/** Fewer segments of one hour are not worth the writing. */
const WORTH_PARTS = 8
/** What came late to a joined day is joined to it when it is a fair share, or in many pieces. */
const WORTH_SHARE = 1 / 8
const WORTH_PIECES = 64

/**
 * Join the fingerprints of days that are settled into one segment for each range of buckets: a window of 62 days is then
 * 62 rows a range instead of 1,488. They stay the same fingerprints, so it may be left out, killed or done twice.
 * @param before days that end at this hour or earlier
 * @returns how many segments were made
 */
export async function joinSegments(pool: pg.Pool, before: Hour, stopping: () => boolean): Promise<number> {
  const parts = await run(pool, listSegmentParts, { before, partsMin: WORTH_PARTS })
  let made = 0
  for (const group of groupsOf(parts)) {
    if (stopping()) return made
    if (!isWorth(group)) continue
    if (!(await joinGroup(pool, group))) return made
    made += 1
  }
  return made
}

/** Segments of a day, by the widest range of buckets around them: ranges are aligned, so they lie within each other. */
export function groupsOf(parts: readonly SegmentPart[]): readonly (readonly SegmentPart[])[] {
  return [...groupBy(parts, ({ day }) => day).values()].flatMap((ofDay) => {
    const groups: SegmentPart[][] = []
    for (const part of ofDay) {
      const widest = groups.at(-1)
      if (widest && part.fromBucket <= reachOf(widest)) widest.push(part)
      else groups.push([part])
    }
    return groups
  })
}

function reachOf(group: readonly SegmentPart[]): number {
  return group.reduce((reach, { toBucket }) => Math.max(reach, toBucket), 0)
}

function isWorth(group: readonly SegmentPart[]): boolean {
  const pieces = group.filter(({ hours }) => hours < SEGMENT_HOURS)
  if (pieces.length < WORTH_PARTS) return false
  const size = (some: readonly SegmentPart[]) => some.reduce((sum, { fingerprints }) => sum + fingerprints, 0)
  return pieces.length > WORTH_PIECES || size(pieces) >= WORTH_SHARE * size(group)
}

/** @returns false when another process is at it */
function joinGroup(pool: pg.Pool, group: readonly SegmentPart[]): Promise<boolean> {
  const { day, fromBucket } = group[0]!
  const toBucket = reachOf(group)
  return transaction(pool, async (sql) => {
    if (!(await runOne(sql, lockIdentityDays, undefined))) return false
    const to = (day + SEGMENT_HOURS) as Hour
    const buckets = [fromBucket, toBucket]
    const lists: Uint32Array[] = []
    const numbers: number[] = []
    for await (const segment of readIdentitySegments(sql, { from: day, to, buckets, after: 0 })) {
      lists.push(segment.fingerprints)
      numbers.push(segment.number)
    }
    const fingerprints = joined(lists)
    await run(sql, deleteIdentitySegments, { fromHour: day, toHour: to, numbers })
    await run(sql, insertIdentitySegment, { hour: day, hours: SEGMENT_HOURS, buckets, fingerprints })
    return true
  })
}
