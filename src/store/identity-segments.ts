import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { invariant } from '../core/invariant.ts'
import type { Hour } from '../core/time/hour.ts'
import { readBinaryRows } from './copy-binary.ts'
import { withClient } from './copy.ts'
import type { Query, Sql } from './query.ts'

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

export interface InsertIdentitySegment {
  /** Usage hours: [hour, hour + hours). */
  readonly hour: Hour
  readonly hours: number
  /** Claimed: all identities are of these. */
  readonly buckets: readonly number[]
  /** Ascending. */
  readonly fingerprints: Uint32Array
}

/** Remember the identities of usage hours that were settled, as `readIdentitySegments` finds them. */
export const insertIdentitySegment: Query<InsertIdentitySegment, never, void> = {
  name: 'insert_identity_segment',
  text: `
    insert into identity_segment (hour, hours, from_bucket, to_bucket, fingerprints) values ($1, $2, $3, $4, $5)`,
  values: ({ hour, hours, buckets, fingerprints: { buffer, byteOffset, byteLength } }) => [
    hour,
    hours,
    Math.min(...buckets),
    Math.max(...buckets),
    Buffer.from(buffer, byteOffset, byteLength),
  ],
  decode: () => undefined,
}

export interface DeleteIdentitySegments {
  readonly fromHour: number
  readonly toHour: number
  readonly numbers: readonly number[]
}

/** Segments whose fingerprints another one has now. */
export const deleteIdentitySegments: Query<DeleteIdentitySegments, never, void> = {
  name: 'delete_identity_segments',
  text: `delete from identity_segment where hour >= $1 and hour < $2 and number = any ($3)`,
  values: ({ fromHour, toHour, numbers }) => [fromHour, toHour, numbers],
  decode: () => undefined,
}

export interface SegmentPart {
  /** The first hour of its UTC day. */
  readonly day: Hour
  readonly fromBucket: number
  readonly toBucket: number
  readonly hours: number
  readonly fingerprints: number
}

interface Raw {
  day: Hour
  from_bucket: number
  to_bucket: number
  hours: number
  fingerprints: string
}

/** The segments of days that lie before an hour, without their fingerprints, of days with many. The wider ones first. */
export const listSegmentParts: Query<{ readonly before: Hour; readonly partsMin: number }, Raw, SegmentPart> =
  {
    name: 'list_segment_parts',
    text: `
    select s.hour / 24 * 24 as day, s.from_bucket, s.to_bucket, s.hours, length(s.fingerprints) / 4 as fingerprints
      from identity_segment s
      join (select hour / 24 as day
              from identity_segment
             where hours = 1 and hour < $1 / 24 * 24
             group by 1
            having count(*) >= $2) d on s.hour >= d.day * 24 and s.hour < (d.day + 1) * 24
     order by day, s.from_bucket, s.to_bucket desc`,
    values: ({ before, partsMin }) => [before, partsMin],
    decode: (raw) => ({
      day: raw.day,
      fromBucket: raw.from_bucket,
      toBucket: raw.to_bucket,
      hours: raw.hours,
      fingerprints: Number(raw.fingerprints),
    }),
  }

/** One process joins segments at a time; false: another one does. Until the end of the transaction. */
export const lockIdentityDays: Query<void, { locked: boolean }, boolean> = {
  name: 'lock_identity_days',
  text: `select pg_try_advisory_xact_lock(hashtext('farthing.identity-days')) as locked`,
  values: () => [],
  decode: ({ locked }) => locked,
}
