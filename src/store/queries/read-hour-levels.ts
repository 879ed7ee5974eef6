import type { Level } from '../../core/meter/level.ts'
import { decimal } from '../../core/money/decimal.ts'
import { type Hour, startOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadHourLevels {
  readonly bucket: number
  readonly account: string
  /** One project's series ('' for those without a project), or all. */
  readonly project: string | undefined
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Levels that a later step brought in are not seen, and those that it took back are; undefined: all has happened. */
  readonly step: number | undefined
  readonly limit: number
}

interface RawLevel {
  readonly project: string
  readonly dataset: string
  readonly region: string
  readonly at: string
  readonly source: string
  readonly id: string
  readonly bytes: string
}

/**
 * The settled levels that the storage of some hours is made of: for each series, those within the hours and the one in
 * force at their first instant. In the order of `compareLevels`. Two probes of the primary key a series.
 */
export const readHourLevels: Query<ReadHourLevels, RawLevel, Level> = {
  name: 'read_hour_levels',
  text: `
    select s.project, s.dataset, l.region, l.at, l.source, l.id, l.bytes
      from storage_series s
     cross join lateral (
       (select region, at, source, id, bytes
          from storage_level
         where bucket = s.bucket and account = s.account and project = s.project and dataset = s.dataset
           and at < $4 and step <= $6 and (void_step is null or void_step > $6)
         order by at desc, source desc, id desc
         limit 1)
       union all
       (select region, at, source, id, bytes
          from storage_level
         where bucket = s.bucket and account = s.account and project = s.project and dataset = s.dataset
           and at >= $4 and at < $5 and step <= $6 and (void_step is null or void_step > $6))
     ) l
     where s.bucket = $1 and s.account = $2 and ($3::text is null or s.project = $3)
     order by s.project, s.dataset, l.at, l.source, l.id
     limit $7`,
  values: ({ bucket, account, project, from, to, step, limit }) => [
    bucket,
    account,
    project ?? null,
    startOf(from),
    startOf(to),
    step ?? Number.MAX_SAFE_INTEGER,
    limit,
  ],
  decode: ({ project, dataset, region, at, source, id, bytes }) => ({
    project: project || null,
    dataset: dataset || null,
    region: region || null,
    at: Number(at) as Instant,
    source,
    id,
    bytes: decimal(bytes),
  }),
}
