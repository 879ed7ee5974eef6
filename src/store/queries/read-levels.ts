import { type Decimal, decimal } from '../../core/money/decimal.ts'
import type { Level } from '../../core/meter/level.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

/** An account, as of one of its steps: what was settled at or after that step is not seen. */
export interface AccountAsOf {
  readonly account: string
  readonly step: number
}

export interface ReadLevels {
  readonly buckets: readonly number[]
  /** Levels within [from, to), and the one in force at `from`. */
  readonly from: Instant
  readonly to: Instant
  /** Only these accounts, each as of a step; null: all, with everything that is settled. */
  readonly accounts: readonly AccountAsOf[] | null
}

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
export const readLevels: Query<ReadLevels, Raw, AccountLevel> = {
  name: 'read_levels',
  text: `
    select s.account, s.project, s.dataset, l.region, l.at, l.source, l.id, l.bytes
      from storage_series s
      left join unnest($4::text[], $5::bigint[]) as a (account, step) on a.account = s.account
     cross join lateral (
           (select v.* from storage_level v
             where v.bucket = s.bucket and v.account = s.account
               and v.project = s.project and v.dataset = s.dataset
               and v.at < $2 and ($5::bigint[] is null or v.step < a.step)
               and (v.void_step is null or v.void_step >= a.step)
             order by v.at desc, v.source desc, v.id desc
             limit 1)
           union all
           (select v.* from storage_level v
             where v.bucket = s.bucket and v.account = s.account
               and v.project = s.project and v.dataset = s.dataset
               and v.at >= $2 and v.at < $3 and ($5::bigint[] is null or v.step < a.step)
               and (v.void_step is null or v.void_step >= a.step))) l
     where s.bucket = any ($1) and ($5::bigint[] is null or a.account is not null)`,
  values: ({ buckets, from, to, accounts }) => [
    buckets,
    from,
    to,
    accounts && accounts.map(({ account }) => account),
    accounts && accounts.map(({ step }) => step),
  ],
  decode: (raw) => ({
    account: raw.account,
    project: raw.project || null,
    dataset: raw.dataset || null,
    region: raw.region || null,
    at: Number(raw.at) as Instant,
    source: raw.source,
    id: raw.id,
    bytes: bytesOf(raw.bytes),
  }),
}

function bytesOf(text: string): Decimal {
  return decimal(text)
}
