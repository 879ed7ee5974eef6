import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

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
export const readSegmentParts: Query<{ readonly before: Hour; readonly partsMin: number }, Raw, SegmentPart> =
  {
    name: 'read_segment_parts',
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
