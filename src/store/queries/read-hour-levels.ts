import type { Level } from '../../core/meter/level.ts'
import { decimal } from '../../core/money/decimal.ts'
import { endOf, type Hour, startOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadHourLevels {
  readonly bucket: number
  readonly account: string
  /** One project's series ('' for those without a project), or all. */
  readonly project: string | undefined
  readonly hour: Hour
  /** Levels that a settled hour of a later step brought in are left out; undefined: none is. */
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
 * The settled levels that an hour's storage is made of: for each series, those within the hour and the one in
 * force at its first instant. In the order of `compareLevels`. Two probes of the primary key a series.
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
  values: ({ bucket, account, project, hour, step, limit }) => [
    bucket,
    account,
    project ?? null,
    startOf(hour),
    endOf(hour),
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
