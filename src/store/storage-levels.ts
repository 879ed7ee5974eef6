import type { Query } from './query.ts'
import type { Level } from '../core/meter/level.ts'
import type { SettledAccount } from './settled-hours.ts'
import { decimal, type Decimal } from '../core/money/decimal.ts'
import { type Hour, startOf } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'
import type { EventKey } from './key-columns.ts'
import type { LevelPlace } from './restated-levels.ts'
import type { SeriesName } from './storage-series.ts'

export interface FindLevels extends SettledAccount {
  readonly levels: readonly Level[]
}

/** Which of an account's announced levels are kept, and as what. `index` is that of the level. */
export interface FoundLevel {
  readonly index: number
  readonly bytes: string
  readonly step: number
}

interface RawFound {
  index: string
  bytes: string
  step: string
}

/** What settlement keeps of the levels that events announced: one probe of the primary key each. */
export const findLevels: Query<FindLevels, RawFound, FoundLevel> = {
  name: 'find_levels',
  text: `
    select k.index, l.bytes, l.step
      from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[])
           with ordinality as k (project, dataset, region, at, source, id, index)
      join storage_level l
        on l.bucket = $1 and l.account = $2 and l.project = k.project and l.dataset = k.dataset
       and l.region = k.region and l.at = k.at and l.source = k.source and l.id = k.id`,
  values: ({ bucket, account, levels }) => [
    bucket,
    account,
    levels.map(({ project }) => project ?? ''),
    levels.map(({ dataset }) => dataset ?? ''),
    levels.map(({ region }) => region ?? ''),
    levels.map(({ at }) => at),
    levels.map(({ source }) => source),
    levels.map(({ id }) => id),
  ],
  decode: (raw) => ({
    index: Number(raw.index) - 1,
    bytes: raw.bytes,
    step: Number(raw.step),
  }),
}

export interface ListHourLevels {
  readonly bucket: number
  readonly account: string
  /** The series of one project ('' for those without a project), or all. */
  readonly project: string | undefined
  /** Those of one region ('' for those without a region); undefined: of all. */
  readonly region?: string | undefined
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Levels that a later step brought in are not seen, and those that it voided are; undefined: all has happened. */
  readonly step: number | undefined
  /** The last level of the page before. */
  readonly after?: LevelPlace | undefined
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
export const listHourLevels: Query<ListHourLevels, RawLevel, Level> = {
  name: 'list_hour_levels',
  text: `
    select s.project, s.dataset, s.region, l.at, l.source, l.id, l.bytes
      from storage_series s
     cross join lateral (
       (select at, source, id, bytes
          from storage_level
         where bucket = s.bucket and account = s.account and project = s.project and dataset = s.dataset
           and region = s.region and at < $4 and step <= $6 and (void_step is null or void_step > $6)
         order by at desc, source desc, id desc
         limit 1)
       union all
       (select at, source, id, bytes
          from storage_level
         where bucket = s.bucket and account = s.account and project = s.project and dataset = s.dataset
           and region = s.region and at >= $4 and at < $5 and step <= $6 and (void_step is null or void_step > $6))
     ) l
     where s.bucket = $1 and s.account = $2 and ($3::text is null or s.project = $3)
       and ($8::text is null or s.region = $8)
       and ($9::text is null or ((s.project, s.dataset, s.region) >= ($9, $10, $11)
            and (s.project, s.dataset, s.region, l.at, l.source, l.id) > ($9, $10, $11, $12::bigint, $13, $14)))
     order by s.project, s.dataset, s.region, l.at, l.source, l.id
     limit $7`,
  values: ({ bucket, account, project, region, from, to, step, after, limit }) => [
    bucket,
    account,
    project ?? null,
    startOf(from),
    startOf(to),
    step ?? Number.MAX_SAFE_INTEGER,
    limit,
    region ?? null,
    after?.project ?? null,
    after?.dataset ?? null,
    after?.region ?? null,
    after?.at ?? null,
    after?.source ?? null,
    after?.id ?? null,
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

/** An account, as of one of its steps: what was settled at or after that step is not seen. */
export interface AccountAsOf {
  readonly account: string
  readonly step: number
}

export interface ListLevels {
  readonly buckets: readonly number[]
  /** Levels within [from, to), and the one in force at `from`. */
  readonly from: Instant
  readonly to: Instant
  /** Only these accounts, each as of a step; null: all, with everything that is settled. */
  readonly accounts: readonly AccountAsOf[] | null
  /** Only series of these projects and regions; null: all. */
  readonly places: readonly Place[] | null
}

/** A project and a region; null for those without. */
export type Place = Pick<Level, 'project' | 'region'>

export interface AccountLevel extends Level {
  readonly account: string
}

interface Raw {
  account: string
  project: string
  dataset: string
  region: string
  at: string
  source: string
  id: string
  bytes: string
}

/** What was stored at an instant, and what changed after it: two probes of the primary key a series. */
export const listLevels: Query<ListLevels, Raw, AccountLevel> = {
  name: 'list_levels',
  text: `
    select s.account, s.project, s.dataset, s.region, l.at, l.source, l.id, l.bytes
      from storage_series s
      left join unnest($4::text[], $5::bigint[]) as a (account, step) on a.account = s.account
     cross join lateral (
           (select v.* from storage_level v
             where v.bucket = s.bucket and v.account = s.account
               and v.project = s.project and v.dataset = s.dataset and v.region = s.region
               and v.at < $2 and ($5::bigint[] is null or v.step < a.step)
               and (v.void_step is null or v.void_step >= a.step)
             order by v.at desc, v.source desc, v.id desc
             limit 1)
           union all
           (select v.* from storage_level v
             where v.bucket = s.bucket and v.account = s.account
               and v.project = s.project and v.dataset = s.dataset and v.region = s.region
               and v.at >= $2 and v.at < $3 and ($5::bigint[] is null or v.step < a.step)
               and (v.void_step is null or v.void_step >= a.step))) l
     where s.bucket = any ($1) and ($5::bigint[] is null or a.account is not null)
       and ($6::text[] is null or (s.project, s.region) in (select * from unnest($6, $7::text[])))`,
  values: ({ buckets, from, to, accounts, places }) => [
    buckets,
    from,
    to,
    accounts && accounts.map(({ account }) => account),
    accounts && accounts.map(({ step }) => step),
    places && places.map(({ project }) => project ?? ''),
    places && places.map(({ region }) => region ?? ''),
  ],
  decode: (raw) => ({
    account: raw.account,
    project: raw.project || null,
    dataset: raw.dataset || null,
    region: raw.region || null,
    at: Number(raw.at) as Instant,
    source: raw.source,
    id: raw.id,
    bytes: decimal(raw.bytes),
  }),
}

export interface ListLevelsNowRows {
  readonly bucket: number
  readonly account: string
  readonly now: Instant
  /** Levels that were voided, although no bill has said so yet. */
  readonly withdrawn: readonly EventKey[]
  /** The last series of the page before, '' for an absent name; undefined: from the first. */
  readonly after: SeriesName | undefined
  readonly limit: number
}

/** A series with the settled level that is in force now; undefined: none is. '' stands for an absent name. */
export interface SeriesLevel extends SeriesName {
  readonly level:
    | {
        readonly at: Instant
        readonly source: string
        readonly id: string
        readonly bytes: Decimal
      }
    | undefined
}

interface RawSeriesLevel extends SeriesName {
  at: string | null
  source: string
  id: string
  bytes: string
}

/** The settled levels of an account that are in force, a page of series: one probe of the primary key for each. */
export const listLevelsNowRows: Query<ListLevelsNowRows, RawSeriesLevel, SeriesLevel> = {
  name: 'list_levels_now_rows',
  text: `
    select s.project, s.dataset, s.region, l.at, l.source, l.id, l.bytes
      from (select bucket, account, project, dataset, region
              from storage_series
             where bucket = $1 and account = $2
               and ($3::text is null or (project, dataset, region) > ($3, $4, $5))
             order by project, dataset, region
             limit $6) s
      left join lateral (
           select v.at, v.source, v.id, v.bytes
             from storage_level v
            where v.bucket = s.bucket and v.account = s.account
              and v.project = s.project and v.dataset = s.dataset and v.region = s.region
              and v.at <= $7 and v.void_step is null
              and not exists (select from unnest($8::int[], $9::text[], $10::text[]) as w (hour, id, source)
                               where w.hour = v.at / 3600000 and w.id = v.id and w.source = v.source)
            order by v.at desc, v.source desc, v.id desc
            limit 1) l on true
     order by s.project, s.dataset, s.region`,
  values: ({ bucket, account, now, withdrawn, after, limit }) => [
    bucket,
    account,
    after?.project ?? null,
    after?.dataset ?? null,
    after?.region ?? null,
    limit,
    now,
    withdrawn.map(({ hour }) => hour),
    withdrawn.map(({ id }) => id),
    withdrawn.map(({ source }) => source),
  ],
  decode: ({ project, dataset, region, at, source, id, bytes }) => ({
    project,
    dataset,
    region,
    level: at === null ? undefined : { at: Number(at) as Instant, source, id, bytes: decimal(bytes) },
  }),
}
