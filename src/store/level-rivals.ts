import type { UsageEvent } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import { seriesNumber } from './events-table.ts'
import type { Query } from './query.ts'
import type { SeriesName } from './storage-series.ts'

/** `seriesNumber` of an event says what its series is. */
export type LevelKey = Pick<UsageEvent, 'account' | 'at' | 'usage'>

export interface ListLevelRivals {
  /** The instants of the keys lie in the hours [from, to): one UTC day, so that one partition is opened. */
  readonly from: Hour
  readonly to: Hour
  readonly keys: readonly LevelKey[]
}

/** A stored event that may be a level of the series and instant of a key, whose index it has. */
export interface LevelRival {
  readonly index: number
  readonly id: string
  readonly source: string
  readonly type: string
  readonly data: string
}

/** Events that count at the instants of levels, and may be of their series: one probe of usage_event_series each. */
export const listLevelRivals: Query<ListLevelRivals, LevelRival & { index: string }, LevelRival> = {
  name: 'list_level_rivals',
  text: `
    select k.index, e.id, e.source, e.type, e.data
      from unnest($3::text[], $4::int[], $5::bigint[]) with ordinality as k (account, series, at, index)
     cross join lateral (
       select e.id, e.source, e.type, e.data
         from usage_event e
        where e.hour >= $1 and e.hour < $2
          and e.account = k.account and e.series = k.series and e.at = k.at
          and not exists (select from voided_event v
                           where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                             and v.id = e.id and v.source = e.source)
          and not exists (select from conflict_event c
                           where c.cycle = e.cycle and c.bucket = e.bucket and c.account = e.account
                             and c.hour = e.hour and c.id = e.id and c.source = e.source)
       offset 0) e`,
  values: ({ from, to, keys }) => [
    from,
    to,
    keys.map(({ account }) => account),
    keys.map(seriesNumber),
    keys.map(({ at }) => at),
  ],
  decode: ({ index, ...raw }) => ({ ...raw, index: Number(index) - 1 }),
}

export interface FindSeries extends SeriesName {
  readonly bucket: number
  readonly account: string
}

/** Which of these series ever had a settled level, by index: one probe of the primary key each. */
export const findKnownSeries: Query<readonly FindSeries[], { index: string }, number> = {
  name: 'find_known_series',
  text: `
    select k.index
      from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (bucket, account, project, dataset, region, index)
      join storage_series s using (bucket, account, project, dataset, region)`,
  values: (series) => [
    series.map(({ bucket }) => bucket),
    series.map(({ account }) => account),
    series.map(({ project }) => project),
    series.map(({ dataset }) => dataset),
    series.map(({ region }) => region),
  ],
  decode: ({ index }) => Number(index) - 1,
}

export interface ListSeriesEvents {
  /** Usage hours in [from, to): at most 62 days, whose partitions are opened. */
  readonly from: Hour
  readonly to: Hour
  readonly account: string
  readonly usage: UsageEvent['usage']
  readonly limit: number
}

/** Some events that may be levels of a series: a probe of usage_event_series for each day. */
export const listSeriesEvents: Query<
  ListSeriesEvents,
  Omit<LevelRival, 'index'>,
  Omit<LevelRival, 'index'>
> = {
  name: 'list_series_events',
  text: `
      select e.id, e.source, e.type, e.data
        from usage_event e
       where e.hour >= $1 and e.hour < $2
         and e.account = $3 and e.series = $4
       limit $5`,
  values: ({ from, to, account, usage, limit }) => [from, to, account, seriesNumber({ usage }), limit],
  decode: (raw) => raw,
}
