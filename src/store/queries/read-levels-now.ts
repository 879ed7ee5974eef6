import { type Decimal, decimal } from '../../core/money/decimal.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'
import type { SeriesName } from './read-account-series.ts'

export interface ReadLevelsNow {
  readonly bucket: number
  readonly account: string
  readonly now: Instant
  /** Levels that were taken back, although no bill has said so yet. */
  readonly withdrawn: readonly EventKey[]
  /** The last series of the page before, '' for an absent name; undefined: from the first. */
  readonly after: SeriesName | undefined
  readonly limit: number
}

/** A series with the settled level that is in force now; undefined: none is. '' stands for an absent name. */
export interface SeriesLevel extends SeriesName {
  readonly level:
    | {
        readonly region: string
        readonly at: Instant
        readonly source: string
        readonly id: string
        readonly bytes: Decimal
      }
    | undefined
}

interface Raw extends SeriesName {
  region: string | null
  at: string
  source: string
  id: string
  bytes: string
}

/** The settled levels of an account that are in force, a page of series: one probe of the primary key for each. */
export const readLevelsNow: Query<ReadLevelsNow, Raw, SeriesLevel> = {
  name: 'read_levels_now',
  text: `
    select s.project, s.dataset, l.region, l.at, l.source, l.id, l.bytes
      from (select bucket, account, project, dataset
              from storage_series
             where bucket = $1 and account = $2 and ($3::text is null or (project, dataset) > ($3, $4))
             order by project, dataset
             limit $5) s
      left join lateral (
           select v.region, v.at, v.source, v.id, v.bytes
             from storage_level v
            where v.bucket = s.bucket and v.account = s.account and v.project = s.project and v.dataset = s.dataset
              and v.at <= $6 and v.void_step is null
              and not exists (select from unnest($7::int[], $8::text[], $9::text[]) as w (hour, id, source)
                               where w.hour = v.at / 3600000 and w.id = v.id and w.source = v.source)
            order by v.at desc, v.source desc, v.id desc
            limit 1) l on true
     order by s.project, s.dataset`,
  values: ({ bucket, account, now, withdrawn, after, limit }) => [
    bucket,
    account,
    after?.project ?? null,
    after?.dataset ?? null,
    limit,
    now,
    withdrawn.map(({ hour }) => hour),
    withdrawn.map(({ id }) => id),
    withdrawn.map(({ source }) => source),
  ],
  decode: ({ project, dataset, region, at, source, id, bytes }) => ({
    project,
    dataset,
    level:
      region === null ? undefined : { region, at: Number(at) as Instant, source, id, bytes: bytesOf(bytes) },
  }),
}

function bytesOf(text: string): Decimal {
  return decimal(text)
}
