import type { Instant } from '../core/time/instant.ts'
import { keyColumns } from './key-columns.ts'
import type { Query } from './query.ts'
import type { LevelPlace } from './restated-levels.ts'
import type { FindEvents } from './usage-events.ts'

export interface ListLevelsAfterClosing {
  /** Only this account; null: all. */
  readonly account: string | null
  readonly limit: number
}

/** A level above 0 of a closed account, in force at its closing or after it. '' stands for an absent name. */
export interface LevelAfterClosing extends LevelPlace {
  readonly account: string
  readonly bucket: number
  readonly closedAt: Instant
  readonly bytes: string
}

interface RawAfterClosing {
  account: string
  bucket: number
  closed_at: string
  project: string
  dataset: string
  region: string
  at: string
  source: string
  id: string
  bytes: string
}

/**
 * Settled levels above 0 that are in force at the closing of their account or after it. Accounts whose levels are still
 * being ended are left out. Two probes of the primary key for each series of a closed account.
 */
export const listLevelsAfterClosing: Query<ListLevelsAfterClosing, RawAfterClosing, LevelAfterClosing> = {
  name: 'list_levels_after_closing',
  text: `
    select p.account, p.bucket, p.closed_at, s.project, s.dataset, s.region, l.at, l.source, l.id, l.bytes
      from account_profile p
      join storage_series s on s.bucket = p.bucket and s.account = p.account
     cross join lateral (
       (select at, source, id, bytes
          from storage_level
         where bucket = s.bucket and account = s.account and project = s.project and dataset = s.dataset
           and region = s.region and at <= p.closed_at and void_step is null
         order by at desc, source desc, id desc
         limit 1)
       union all
       (select distinct on (at) at, source, id, bytes
          from storage_level
         where bucket = s.bucket and account = s.account and project = s.project and dataset = s.dataset
           and region = s.region and at > p.closed_at and void_step is null
         order by at desc, source desc, id desc)
     ) l
     where p.closed_at is not null and p.levels_ended >= (select price_version from deployment)
       and ($1::text is null or p.account = $1) and l.bytes > 0
     order by p.account, s.project, s.dataset, s.region, l.at
     limit $2`,
  values: ({ account, limit }) => [account, limit],
  decode: ({ closed_at, at, ...raw }) => ({
    ...raw,
    closedAt: Number(closed_at) as Instant,
    at: Number(at) as Instant,
  }),
}

/** Which of these events are stored, count, and are on no bill yet, by index. The hours of the keys are of one month. */
export const findWaitingEvents: Query<FindEvents, { index: string }, number> = {
  name: 'find_waiting_events',
  text: `
    select k.index
      from unnest($3::int[], $4::smallint[], $5::text[], $6::text[], $7::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
      join usage_event e
        on e.hour = k.hour and e.bucket = k.bucket and e.account = k.account
       and e.id = k.id and e.source = k.source
     where e.hour >= $1 and e.hour < $2
       and not exists (select from bill b
                        where b.hour = e.cycle and b.hour >= $1 and b.bucket = e.bucket and b.account = e.account)
       and not exists (select from settled_hour s
                        where s.hour = e.cycle and s.hour >= $1 and s.bucket = e.bucket and s.account = e.account)
       and not exists (select from voided_event v
                        where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                          and v.id = e.id and v.source = e.source)`,
  values: ({ from, to, keys }) => [from, to, ...keyColumns(keys)],
  decode: ({ index }) => Number(index) - 1,
}
