import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import type { EventKey } from './key-columns.ts'
import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './cycle-events.ts'

export interface ListOpenAccounts {
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** All older hours are settled: their partitions are not opened. */
  readonly unsettledFrom: Hour
  readonly limit: number
}

export interface OpenAccount {
  readonly bucket: number
  readonly account: string
}

/**
 * The accounts that may have usage on no bill yet in some hours, each once, and perhaps some more: those with events in
 * hours that are not settled (one probe of the primary key an account and hour), with late usage, backfill, releases and
 * voids, and those that store something.
 */
export const listOpenAccounts: Query<ListOpenAccounts, OpenAccount, OpenAccount> = {
  name: 'list_open_accounts',
  text: `
    with mark as (select least((select min(settled_until) from bucket),
                               (select min(hour) from set_aside where account <> '')) as settled_until),
    open as (
      select hour
        from mark, generate_series(greatest($1::int, settled_until), $2::int - 1) as hour),
    sender as (
      select s.bucket, s.account
        from open o
       cross join lateral (
         with recursive step as (
           (select bucket, account
              from usage_event
             where hour = o.hour and hour >= $4 and hour < $2
             order by bucket, account
             limit 1)
           union all
           select n.bucket, n.account
             from step s
            cross join lateral (
              select bucket, account
                from usage_event
               where hour = o.hour and hour >= $4 and hour < $2 and (bucket, account) > (s.bucket, s.account)
               order by bucket, account
               limit 1) n)
         select bucket, account from step limit $3) s),
    keeper as (
      select s.bucket, s.account
        from storage_series s
       cross join lateral (
         select bytes
           from storage_level l
          where l.bucket = s.bucket and l.account = s.account and l.project = s.project and l.dataset = s.dataset
            and l.region = s.region and void_step is null
          order by at desc, source desc, id desc
          limit 1) l
       where l.bytes > 0 and exists (select from open))
    select bucket, account from sender
    union
    select bucket, account from keeper
    union
    select bucket, account from mark, late_hour where cycle >= settled_until and hour >= $1 and hour < $2
    union
    select bucket, account from backfill_hour where hour >= $1 and hour < $2
    union
    select bucket, account from mark, released_event where cycle >= settled_until and hour >= $1 and hour < $2
    union
    select bucket, account from mark, voided_event where cycle >= settled_until and hour >= $1 and hour < $2
     order by bucket, account
     limit $3`,
  values: ({ from, to, unsettledFrom, limit }) => [from, to, limit, Math.max(from, unsettledFrom)],
  decode: (raw) => raw,
}

export interface ListOpenHours {
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
}

/** Events of `hour` that count in `cycle` are on no bill yet. */
export interface OpenHour {
  readonly hour: Hour
  readonly cycle: Hour
}

/**
 * Where the account may have usage that is on no bill yet: the hours that its bucket has not settled, late usage
 * in those, and backfill.
 */
export const listOpenHours: Query<ListOpenHours, OpenHour, OpenHour> = {
  name: 'list_open_hours',
  text: `
    with mark as (select account_settled_until($1::smallint, $2) as settled_until),
    open as (
      select hour, hour as cycle
        from mark, generate_series(greatest($3::int, settled_until), $4::int - 1) as hour
      union
      select hour, cycle
        from mark, late_hour
       where bucket = $1 and account = $2 and hour >= $3 and hour < $4 and cycle >= settled_until
      union
      select hour, hour
        from backfill_hour
       where bucket = $1 and account = $2 and hour >= $3 and hour < $4)
    select hour, cycle
      from open
     where not exists (select from bill b where b.hour = cycle and b.bucket = $1 and b.account = $2)
       and not exists (select from settled_hour s where s.hour = cycle and s.bucket = $1 and s.account = $2)
     order by hour, cycle`,
  values: ({ bucket, account, from, to }) => [bucket, account, from, to],
  decode: (raw) => raw,
}

export interface ListOpenAdjustments {
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** The key of the last one read before; undefined: from the first. */
  readonly after: OpenAdjustment | undefined
  readonly limit: number
}

/** A release, or a void that gives something back, of a cycle that has no bill yet. */
export interface OpenAdjustment extends EventKey {
  readonly isVoid: boolean
}

/**
 * What was ordered about an account's events in cycles that its bucket has not settled, in key order: held events that
 * were released into them, and billed ones that they give back. A released event that is left out again is in neither.
 */
export const listOpenAdjustments: Query<
  ListOpenAdjustments,
  EventKey & { is_void: boolean },
  OpenAdjustment
> = {
  name: 'list_open_adjustments',
  text: `
    with mark as (select account_settled_until($1::smallint, $2) as settled_until),
    adjustment as (
      select r.hour, r.bucket, r.account, r.id, r.source, false as is_void
        from mark
        join released_event r on r.cycle >= mark.settled_until and r.bucket = $1
       where r.account = $2 and r.hour >= $3 and r.hour < $4
         and not exists (select from voided_event v
                          where v.hour = r.hour and v.bucket = r.bucket and v.account = r.account
                            and v.id = r.id and v.source = r.source and v.cycle = r.cycle)
      union all
      select v.hour, v.bucket, v.account, v.id, v.source, true
        from mark
        join voided_event v on v.cycle >= mark.settled_until and v.bucket = $1
       where v.account = $2 and v.hour >= $3 and v.hour < $4 and v.counted < v.cycle)
    select hour, bucket, account, id, source, is_void
      from adjustment
     where (hour, id, source, is_void) > ($5, $6, $7, $8)
     order by hour, id, source, is_void
     limit $9`,
  values: ({ bucket, account, from, to, after, limit }) => [
    bucket,
    account,
    from,
    to,
    after?.hour ?? -1,
    after?.id ?? '',
    after?.source ?? '',
    after?.isVoid ?? false,
    limit,
  ],
  decode: ({ is_void, ...key }) => ({ ...key, isVoid: is_void }),
}

export interface OpenEventsCursor {
  readonly bucket: number
  readonly account: string
  /** At least one, by hour: they bound the partitions that are opened. */
  readonly hours: readonly OpenHour[]
}

/**
 * A cursor over the events of one account in some hours, in no order: `fetchOpenEvents` reads from it. Those that were
 * voided in time, and will be left out, are not among them.
 */
export const openEventsCursor: Query<OpenEventsCursor, never, void> = {
  name: 'open_events_cursor',
  text: `
    declare open_events no scroll cursor for
    select e.at, e.received_at, e.id, e.source, e.type, e.data, e.attributes
      from unnest($3::int[], $4::int[]) as k (hour, cycle)
     cross join lateral (
       select at, received_at, id, source, type, data, attributes
         from usage_event e
        where hour = k.hour and hour >= $5 and hour <= $6 and bucket = $1 and account = $2 and cycle = k.cycle
          and not exists (select from voided_event v
                           where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                             and v.id = e.id and v.source = e.source and v.cycle = e.cycle)
       offset 0) e`,
  values: ({ bucket, account, hours }) => [
    bucket,
    account,
    hours.map(({ hour }) => hour),
    hours.map(({ cycle }) => cycle),
    hours[0]!.hour,
    hours.at(-1)!.hour,
  ],
  decode: () => undefined,
}

/** The next 500 events of the cursor; fewer at its end. They are read in one go, for some milliseconds. */
export const fetchOpenEvents: Query<void, RawKeptEvent, KeptEvent> = {
  name: 'fetch_open_events',
  text: `fetch 500 from open_events`,
  values: () => [],
  decode: decodeKeptEvent,
}

export const FETCHED = 500

/** Done with the cursor: another one of its name may be opened. */
export const closeOpenEvents: Query<void, never, void> = {
  name: 'close_open_events',
  text: `close open_events`,
  values: () => [],
  decode: () => undefined,
}
