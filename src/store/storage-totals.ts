import { type Decimal, decimal } from '../core/money/decimal.ts'
import type { Query } from './query.ts'
import type { SettledAccount } from './settled-hours.ts'
import { insertStorageSeries, type StorageSeries } from './storage-series.ts'

/** What an account stores in one place by its settled levels, over all series. */
export interface StorageTotal extends SettledAccount {
  readonly project: string | null
  readonly region: string | null
  readonly bytes: Decimal
}

interface Raw extends SettledAccount {
  project: string
  region: string
  bytes: string
}

/** What the accounts of some buckets store: a range of the primary key each. */
export const listStorageTotals: Query<{ readonly buckets: readonly number[] }, Raw, StorageTotal> = {
  name: 'list_storage_totals',
  text: `
    select bucket, account, project, region, bytes
      from storage_total
     where bucket = any ($1) and live > 0`,
  values: ({ buckets }) => [buckets],
  decode: ({ project, region, bytes, ...raw }) => ({
    ...raw,
    project: project || null,
    region: region || null,
    bytes: decimal(bytes),
  }),
}

/** A series by index, with the newest settled level that was not voided. */
export interface SeriesBytes {
  readonly index: number
  readonly bytes: Decimal
}

/** What some series store by their settled levels: one probe of the primary key each. */
export const findSeriesBytes: Query<readonly StorageSeries[], { index: string; bytes: string }, SeriesBytes> =
  {
    name: 'find_series_bytes',
    text: `
    select k.index, s.bytes
      from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (bucket, account, project, dataset, region, index)
      join storage_series s using (bucket, account, project, dataset, region)
     where s.bytes > 0`,
    values: (series) => insertStorageSeries.values(series),
    decode: ({ index, bytes }) => ({ index: Number(index) - 1, bytes: decimal(bytes) }),
  }

/**
 * Bring sums and counts up to date after levels of these series were settled or voided: in the same transaction, with their
 * buckets claimed. Run again it changes nothing.
 */
export const updateStorageTotals: Query<readonly StorageSeries[], never, void> = {
  name: 'update_storage_totals',
  text: `
    with touched as (
      select distinct *
        from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[])
             as t (bucket, account, project, dataset, region)),
    change as materialized (
      select s.bucket, s.account, s.project, s.dataset, s.region, s.bytes as before, coalesce(l.bytes, 0) as after
        from touched t
        join storage_series s using (bucket, account, project, dataset, region)
        left join lateral (
          select v.bytes
            from storage_level v
           where v.bucket = s.bucket and v.account = s.account and v.project = s.project and v.dataset = s.dataset
             and v.region = s.region and v.void_step is null
           order by v.at desc, v.source desc, v.id desc
           limit 1) l on true
       where s.bytes <> coalesce(l.bytes, 0)),
    noted as (
      update storage_series s
         set bytes = c.after
        from change c
       where s.bucket = c.bucket and s.account = c.account and s.project = c.project and s.dataset = c.dataset
         and s.region = c.region),
    summed as (
      insert into storage_total as t (bucket, account, project, region, bytes, live)
      select bucket, account, project, region, sum(after - before), sum((after > 0)::int - (before > 0)::int)
        from change
       group by bucket, account, project, region
          on conflict (bucket, account, project, region) do update
         set bytes = t.bytes + excluded.bytes, live = t.live + excluded.live)
    insert into storage_count as c (bucket, account, live)
    select bucket, account, sum((after > 0)::int - (before > 0)::int)
      from change
     group by bucket, account
        on conflict (bucket, account) do update
       set live = c.live + excluded.live`,
  values: (series) => insertStorageSeries.values(series),
  decode: () => undefined,
}

/** A place whose sum is not that of its levels, or one of whose series is not as its levels say. */
export interface WrongTotal {
  readonly account: string
  readonly project: string
  readonly region: string
  readonly kept: StoredSum
  readonly wanted: StoredSum
}

/** As text, to the digit. */
export interface StoredSum {
  readonly bytes: string
  readonly series: number
}

interface RawWrong extends Pick<WrongTotal, 'account' | 'project' | 'region'> {
  readonly kept: string
  readonly kept_live: number
  readonly wanted: string
  readonly live: number
}

/** Places whose sum, count or series are not as their levels say. One probe of the primary key for each series. */
export const findWrongTotals: Query<{ readonly account: string | null }, RawWrong, WrongTotal> = {
  name: 'find_wrong_totals',
  text: `
    with series as (
      select s.bucket, s.account, s.project, s.region, s.bytes as kept, coalesce(l.bytes, 0) as bytes
        from storage_series s
        left join lateral (
          select v.bytes
            from storage_level v
           where v.bucket = s.bucket and v.account = s.account and v.project = s.project and v.dataset = s.dataset
             and v.region = s.region and v.void_step is null
           order by v.at desc, v.source desc, v.id desc
           limit 1) l on true
       where $1::text is null or s.account = $1),
    wanted as (
      select bucket, account, project, region, sum(bytes) as bytes, (count(*) filter (where bytes > 0))::int as live,
             bool_or(kept <> bytes) as differs
        from series
       group by bucket, account, project, region),
    kept as (
      select * from storage_total where $1::text is null or account = $1)
    select account, project, region, coalesce(k.bytes, 0)::text as kept, coalesce(k.live, 0) as kept_live,
           coalesce(w.bytes, 0)::text as wanted, coalesce(w.live, 0) as live
      from wanted w
      full join kept k using (bucket, account, project, region)
     where coalesce(k.bytes, 0) <> coalesce(w.bytes, 0) or coalesce(k.live, 0) <> coalesce(w.live, 0)
        or coalesce(w.differs, false)
     order by account, project, region`,
  values: ({ account }) => [account],
  decode: ({ kept, kept_live: keptLive, wanted, live, ...raw }) => ({
    ...raw,
    kept: { bytes: kept, series: keptLive },
    wanted: { bytes: wanted, series: live },
  }),
}

/** An account whose count of series is not that of its sums. */
export interface WrongCount {
  readonly account: string
  readonly kept: number
  readonly wanted: number
}

/** Accounts whose count of series is not that of their sums: both are small. */
export const findWrongCounts: Query<{ readonly account: string | null }, WrongCount, WrongCount> = {
  name: 'find_wrong_counts',
  text: `
    with kept as (
      select account, live from storage_count where $1::text is null or account = $1),
    wanted as (
      select account, sum(live)::int as live
        from storage_total
       where $1::text is null or account = $1
       group by account)
    select account, coalesce(k.live, 0) as kept, coalesce(w.live, 0) as wanted
      from wanted w
      full join kept k using (account)
     where coalesce(k.live, 0) <> coalesce(w.live, 0)
     order by account`,
  values: ({ account }) => [account],
  decode: (raw) => raw,
}

export interface FindSeriesBeyond {
  readonly series: readonly StorageSeries[]
  /** Series that an account may store data in. */
  readonly max: number
}

/** Which of these series are new, of accounts that have as many as they may, by index: a probe or two of a primary key each. */
export const findSeriesBeyond: Query<FindSeriesBeyond, { index: string }, number> = {
  name: 'find_series_beyond',
  text: `
    select k.index
      from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (bucket, account, project, dataset, region, index)
      join storage_count c using (bucket, account)
     where c.live >= $6
       and not exists (select from storage_series s
                        where s.bucket = k.bucket and s.account = k.account and s.project = k.project
                          and s.dataset = k.dataset and s.region = k.region)`,
  values: ({ series, max }) => [...insertStorageSeries.values(series), max],
  decode: ({ index }) => Number(index) - 1,
}
