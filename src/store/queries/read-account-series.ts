import type { Query } from '../query.ts'

export interface ReadAccountSeries {
  readonly bucket: number
  readonly account: string
  /** The last series of the page before, '' for an absent name; undefined: from the first. */
  readonly after: { readonly project: string; readonly dataset: string } | undefined
  readonly limit: number
}

/** A series; '' stands for an absent name. */
export interface SeriesName {
  readonly project: string
  readonly dataset: string
}

/** The series of an account that ever had a settled level, a page of them: a range of the primary key. */
export const readAccountSeries: Query<ReadAccountSeries, SeriesName, SeriesName> = {
  name: 'read_account_series',
  text: `
    select project, dataset
      from storage_series
     where bucket = $1 and account = $2 and ($3::text is null or (project, dataset) > ($3, $4))
     order by project, dataset
     limit $5`,
  values: ({ bucket, account, after, limit }) => [
    bucket,
    account,
    after?.project ?? null,
    after?.dataset ?? null,
    limit,
  ],
  decode: (raw) => raw,
}
