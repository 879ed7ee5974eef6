import type { Query } from './query.ts'
import type { Hour } from '../core/time/hour.ts'
import type { DueCycle } from './cycles.ts'
import type { SettledAccount } from './settled-hours.ts'
import type { AccountHourKey } from './key-columns.ts'

/**
 * Accounts that store something at the end of a backfill hour, and have later backfill to settle: the next hour is
 * theirs too, with events or without, unless it is settled. So a day of backfill has the bills of a day that was live.
 */
export const insertCarriedBackfillHours: Query<DeleteBackfillHours, never, void> = {
  name: 'insert_carried_backfill_hours',
  text: `
    insert into backfill_hour (bucket, account, hour, touched_at, writers, price_version)
    select distinct on (h.account) h.bucket, h.account, $1 + 1, clock_timestamp(), h.writers, h.price_version
      from backfill_hour h
     where h.bucket = $2 and h.account = any ($3) and h.hour > $1 + 1 and h.price_version is not null
       and not exists (select from bill b
                        where b.hour = $1 + 1 and b.bucket = h.bucket and b.account = h.account)
       and not exists (select from settled_hour s
                        where s.hour = $1 + 1 and s.bucket = h.bucket and s.account = h.account)
     order by h.account, h.hour
        on conflict do nothing`,
  values: ({ hour, bucket, accounts }) => [hour, bucket, accounts],
  decode: () => undefined,
}

export interface DeleteBackfillHours {
  readonly hour: Hour
  readonly bucket: number
  readonly accounts: readonly string[]
}

/** Backfill that is settled needs no row any more: its bill says so. */
export const deleteBackfillHours: Query<DeleteBackfillHours, never, void> = {
  name: 'delete_backfill_hours',
  text: `delete from backfill_hour where hour = $1 and bucket = $2 and account = any ($3)`,
  values: ({ hour, bucket, accounts }) => [hour, bucket, accounts],
  decode: () => undefined,
}

/** Is there backfill that is not sealed yet? Asked before the gate is taken for nothing. */
export const findOpenBackfill: Query<{ readonly quietMs: number }, { open: boolean }, boolean> = {
  name: 'find_open_backfill',
  text: `
    select exists (select from backfill_hour
                    where price_version is null
                      and (touched_at <= clock_timestamp() - make_interval(secs => $1::numeric / 1000)
                           or touched_at > clock_timestamp() + make_interval(secs => $1::numeric / 1000))) as open`,
  values: ({ quietMs }) => [quietMs],
  decode: ({ open }) => open,
}

/** The oldest sealed backfill hour that is not settled, and its price version. What is set aside does not count. */
export const findDueBackfill: Query<void, { hour: Hour; price_version: number }, DueCycle> = {
  name: 'find_due_backfill',
  text: `
    select hour, price_version
      from backfill_hour h
     where price_version is not null
       and not exists (select from set_aside s where s.bucket = h.bucket and s.account in ('', h.account))
     order by hour, price_version
     limit 1`,
  values: () => [],
  decode: ({ hour, price_version }) => ({ hour, priceVersion: price_version }),
}

/** The buckets that have sealed backfill of an hour and price version to settle. */
export const listBackfillBuckets: Query<DueCycle, { bucket: number }, number> = {
  name: 'list_backfill_buckets',
  text: `
    select distinct bucket
      from backfill_hour h
     where hour = $1 and price_version = $2
       and not exists (select from set_aside s where s.bucket = h.bucket and s.account in ('', h.account))
     order by bucket`,
  values: ({ hour, priceVersion }) => [hour, priceVersion],
  decode: ({ bucket }) => bucket,
}

export interface ListBackfillAccounts extends DueCycle {
  readonly buckets: readonly number[]
}

/** The accounts whose backfill of an hour is sealed with a price version, in claimed buckets; not those set aside. */
export const listBackfillAccounts: Query<ListBackfillAccounts, SettledAccount, SettledAccount> = {
  name: 'list_backfill_accounts',
  text: `
    select bucket, account
      from backfill_hour h
     where hour = $1 and price_version = $2 and bucket = any ($3)
       and not exists (select from set_aside s where s.bucket = h.bucket and s.account = h.account)
     order by bucket, account`,
  values: ({ hour, priceVersion, buckets }) => [hour, priceVersion, buckets],
  decode: (raw) => raw,
}

export interface UpdateSealedBackfillHours {
  /** Seal what was not touched for this long; 0: all. */
  readonly quietMs: number
  /** At most so many account-hours: the gate is held meanwhile. */
  readonly limit: number
  /** Only what this import alone wrote; null: no matter who wrote it. */
  readonly writer: string | null
}

/**
 * Seal backfill account-hours with the newest price version, those of the oldest hours first. What was touched in the
 * future was touched before the clock went back, and does not wait for it to return. Only while holding the gate alone.
 */
export const updateSealedBackfillHours: Query<
  UpdateSealedBackfillHours,
  { bucket: number; account: string; hour: Hour },
  AccountHourKey
> = {
  name: 'update_sealed_backfill_hours',
  text: `
    update backfill_hour h
       set price_version = d.price_version
      from deployment d,
           (select bucket, account, hour
              from backfill_hour
             where price_version is null
               and (touched_at <= clock_timestamp() - make_interval(secs => $1::numeric / 1000)
                    or touched_at > clock_timestamp() + make_interval(secs => $1::numeric / 1000))
               and ($3::text is null or writers = array[$3::text])
             order by hour, bucket, account
             limit $2) due
     where h.bucket = due.bucket and h.account = due.account and h.hour = due.hour
    returning h.bucket, h.account, h.hour`,
  values: ({ quietMs, limit, writer }) => [quietMs, limit, writer],
  decode: (raw) => raw,
}

export interface TouchedHour extends AccountHourKey {
  /** The import that wrote to it; '' for any other sender. */
  readonly writer: string
}

/** Backfill was committed for these account-hours: their quiet time begins again. In key order, against deadlocks. */
export const insertBackfillHours: Query<readonly TouchedHour[], never, void> = {
  name: 'insert_backfill_hours',
  text: `
    insert into backfill_hour as h (bucket, account, hour, touched_at, writers)
    select bucket, account, hour, clock_timestamp(), array_agg(distinct writer)
      from unnest($1::smallint[], $2::text[], $3::int[], $4::text[]) as k (bucket, account, hour, writer)
     group by bucket, account, hour
     order by bucket, account collate "C", hour
        on conflict (bucket, account, hour) do update
       set touched_at = excluded.touched_at,
           writers = (select array_agg(distinct w) from unnest(h.writers || excluded.writers) as w)`,
  values: (keys) => [
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
    keys.map(({ writer }) => writer),
  ],
  decode: () => undefined,
}

/** Backfill account-hours that an import wrote and that have no bill yet. */
export interface ImportState {
  /** Sealed: their bills are being made. */
  readonly sealed: number
  /** Open, and no one else wrote to them: sealed when the import ends, or when they were quiet for a while. */
  readonly own: number
  /** Open, and others wrote to them too: sealed when they were quiet for a while. */
  readonly shared: number
  /** Some of the shared ones, for the message. */
  readonly sharedHours: readonly { readonly account: string; readonly hour: number }[]
}

/** How many shared hours are named. */
const NAMED_MAX = 20

/** Where the account-hours of an import stand. */
export const findImport: Query<{ readonly writer: string }, ImportState, ImportState> = {
  name: 'find_import',
  text: `
    with mine as (select * from backfill_hour where $1 = any (writers))
    select (select count(*)::int from mine where price_version is not null) as sealed,
           (select count(*)::int from mine where price_version is null and writers = array[$1]) as own,
           (select count(*)::int from mine where price_version is null and writers <> array[$1]) as shared,
           (select coalesce(json_agg(json_build_object('account', account, 'hour', hour)), '[]'::json)
              from (select account, hour from mine
                     where price_version is null and writers <> array[$1]
                     order by hour, account limit $2) as named) as "sharedHours"`,
  values: ({ writer }) => [writer, NAMED_MAX],
  decode: (raw) => raw,
}
