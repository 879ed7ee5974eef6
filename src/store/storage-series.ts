import type { Query } from './query.ts'
import type { SettledAccount } from './settled-hours.ts'

export interface StorageSeries {
  readonly bucket: number
  readonly account: string
  readonly project: string | null
  readonly dataset: string | null
  readonly region: string | null
}

/** Note that these series have levels. */
export const insertStorageSeries: Query<readonly StorageSeries[], never, void> = {
  name: 'insert_storage_series',
  text: `
    insert into storage_series (bucket, account, project, dataset, region)
    select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[])
        on conflict do nothing`,
  values: (series) => [
    series.map(({ bucket }) => bucket),
    series.map(({ account }) => account),
    series.map(({ project }) => project ?? ''),
    series.map(({ dataset }) => dataset ?? ''),
    series.map(({ region }) => region ?? ''),
  ],
  decode: () => undefined,
}

export interface ListAccountSeries {
  readonly bucket: number
  readonly account: string
  /** The last series of the page before, '' for an absent name; undefined: from the first. */
  readonly after: SeriesName | undefined
  readonly limit: number
}

/** A series; '' stands for an absent name. */
export interface SeriesName {
  readonly project: string
  readonly dataset: string
  readonly region: string
}

/** The series of an account that ever had a settled level, a page of them: a range of the primary key. */
export const listAccountSeries: Query<ListAccountSeries, SeriesName, SeriesName> = {
  name: 'list_account_series',
  text: `
    select project, dataset, region
      from storage_series
     where bucket = $1 and account = $2 and ($3::text is null or (project, dataset, region) > ($3, $4, $5))
     order by project, dataset, region
     limit $6`,
  values: ({ bucket, account, after, limit }) => [
    bucket,
    account,
    after?.project ?? null,
    after?.dataset ?? null,
    after?.region ?? null,
    limit,
  ],
  decode: (raw) => raw,
}

/** The accounts of some buckets that ever stored something, as far as it is settled: a range of a primary key each. */
export const listStoringAccounts: Query<
  { readonly buckets: readonly number[] },
  SettledAccount,
  SettledAccount
> = {
  name: 'list_storing_accounts',
  text: `
    select distinct bucket, account
      from storage_series
     where bucket = any ($1)
     order by bucket, account`,
  values: ({ buckets }) => [buckets],
  decode: (raw) => raw,
}
