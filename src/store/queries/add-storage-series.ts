import type { Query } from '../query.ts'

export interface StorageSeries {
  readonly bucket: number
  readonly account: string
  readonly project: string | null
  readonly dataset: string | null
}

/** Note that these series have levels. */
export const addStorageSeries: Query<readonly StorageSeries[], never, void> = {
  name: 'add_storage_series',
  text: `
    insert into storage_series (bucket, account, project, dataset)
    select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[])
        on conflict do nothing`,
  values: (series) => [
    series.map(({ bucket }) => bucket),
    series.map(({ account }) => account),
    series.map(({ project }) => project ?? ''),
    series.map(({ dataset }) => dataset ?? ''),
  ],
  decode: () => undefined,
}
