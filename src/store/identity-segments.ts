import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { invariant } from '../core/invariant.ts'
import type { Hour } from '../core/time/hour.ts'
import { readBinaryRows } from './copy-binary.ts'
import { withClient } from './copy.ts'
import type { Sql } from './query.ts'

export interface ReadIdentitySegments {
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Segments that may have identities of these buckets. */
  readonly buckets: readonly number[]
  /** Only segments that were added later than the one of this number. */
  readonly after: number
}

/** Fingerprints of identities that were settled. */
export interface IdentitySegment {
  /** In the order in which they were added. */
  readonly number: number
  /** Usage hours: [hour, hour + hours). */
  readonly hour: Hour
  readonly hours: number
  /** Ascending. */
  readonly fingerprints: Uint32Array
}

/** A segment is of at most so many hours, and begins at a multiple of them. */
export const SEGMENT_HOURS = 24

/**
 * What was settled in a range of usage hours, a segment at a time, in no order. In PostgreSQL's binary form: the driver
 * would take many times as long over the hexadecimal one.
 */
export async function* readIdentitySegments(
  sql: Sql,
  ask: ReadIdentitySegments,
): AsyncGenerator<IdentitySegment> {
  yield* withClient(sql, async function* (client: pg.ClientBase) {
    const stream = client.query(copyTo(statement(ask))) as AsyncIterable<Buffer>
    for await (const [number, hour, hours, fingerprints] of readBinaryRows(stream)) {
      yield {
        number: Number(number!.readBigInt64BE()),
        hour: hour!.readInt32BE() as Hour,
        hours: hours!.readInt32BE(),
        // Copied, because a view of 32-bit numbers must begin at a multiple of 4.
        fingerprints: new Uint32Array(Uint8Array.from(fingerprints!).buffer),
      }
    }
  })
}

/** COPY takes no parameters, so its values are written into it: whole numbers, and nothing else. */
function statement({ from, to, buckets, after }: ReadIdentitySegments): string {
  const [low, high] = [Math.min(...buckets), Math.max(...buckets)]
  invariant([from, to, low, high, after].every(Number.isSafeInteger), 'hours, buckets and numbers are whole')
  const first = from - (SEGMENT_HOURS - 1)
  return `/* read_identity_segments */
    copy (select number, hour, hours, fingerprints
            from identity_segment
           where hour >= ${first} and hour < ${to} and hour + hours > ${from}
             and to_bucket >= ${low} and from_bucket <= ${high} and number > ${after})
      to stdout (format binary)`
}
