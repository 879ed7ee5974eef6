import { type EventKey, keyColumns } from './key-columns.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'
import { type EventRow, settledEvent, type SettledEvent } from './event-row.ts'
import type { SettledAccount } from './settled-hours.ts'
import type { ReadHour } from './bills.ts'

/** Events of an hour, counted up to a limit: to size transactions. */
export const countEvents: Query<{ readonly hour: Hour; readonly limit: number }, { events: number }, number> =
  {
    name: 'count_events',
    text: `select count(*)::int as events from (select from usage_event where hour = $1 limit $2) e`,
    values: ({ hour, limit }) => [hour, limit],
    decode: ({ events }) => events,
  }

export interface FindEvents {
  /** The hours of the keys lie in [from, to): a calendar month at most, whose partitions are opened. */
  readonly from: Hour
  readonly to: Hour
  readonly keys: readonly EventKey[]
}

/** A stored event's content: what tells a duplicate from a conflict. `index` is that of its key. */
export interface FoundEvent {
  readonly index: number
  readonly type: string
  readonly at: Instant
  readonly data: string
}

/** Which of these keys are taken, and by what. One probe of the primary key for each, in its partition alone. */
export const findEvents: Query<
  FindEvents,
  { index: string; type: string; at: string; data: string },
  FoundEvent
> = {
  name: 'find_events',
  text: `
    select k.index, e.type, e.at, e.data
      from unnest($3::int[], $4::smallint[], $5::text[], $6::text[], $7::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
     cross join lateral (
       select type, at, data
         from usage_event
        where hour = k.hour and bucket = k.bucket and account = k.account and id = k.id and source = k.source
          and hour >= $1 and hour < $2
        limit 1) e`,
  values: ({ from, to, keys }) => [from, to, ...keyColumns(keys)],
  decode: ({ index, type, at, data }) => ({
    index: Number(index) - 1,
    type,
    at: Number(at) as Instant,
    data,
  }),
}

/** A stored event. `index` is that of its key. */
export interface KeyedEvent extends SettledEvent {
  readonly index: number
  /** In whose bill it counts, if nothing else was decided about it. */
  readonly cycle: Hour
  /** Is it marked as a copy, which counts nowhere? */
  readonly isDuplicate: boolean
}

/** The events of these keys. One probe of the primary key for each. */
export const listKeyedEvents: Query<
  FindEvents,
  EventRow & { index: string; cycle: Hour; is_duplicate: boolean },
  KeyedEvent
> = {
  name: 'list_keyed_events',
  text: `
    select k.index, e.hour, e.bucket, e.account, e.id, e.source, e.at, e.type, e.data, e.attributes, e.cycle,
           exists (select from conflict_event c
                    where c.cycle = e.cycle and c.bucket = e.bucket and c.account = e.account
                      and c.hour = e.hour and c.id = e.id and c.source = e.source) as is_duplicate
      from unnest($3::int[], $4::smallint[], $5::text[], $6::text[], $7::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
     cross join lateral (
       select *
         from usage_event
        where hour = k.hour and bucket = k.bucket and account = k.account and id = k.id and source = k.source
          and hour >= $1 and hour < $2
        limit 1) e`,
  values: ({ from, to, keys }) => [from, to, ...keyColumns(keys)],
  decode: ({ index, cycle, is_duplicate, ...row }) => ({
    ...settledEvent(row),
    cycle,
    index: Number(index) - 1,
    isDuplicate: is_duplicate,
  }),
}

export interface ListAccountHourEvents {
  /** The hour in which the usage happened. */
  readonly hour: Hour
  readonly bucket: number
  readonly account: string
  /** The key of the last event read before; undefined: from the first. */
  readonly after: Pick<SettledEvent, 'id' | 'source'> | undefined
  readonly limit: number
}

/** All events of one account's hour, in whichever cycle they count, in key order: a range of the primary key. */
export const listAccountHourEvents: Query<ListAccountHourEvents, EventRow, SettledEvent> = {
  name: 'list_account_hour_events',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes
      from usage_event
     where hour = $1 and bucket = $2 and account = $3 and (id, source) > ($4, $5)
     order by id, source
     limit $6`,
  values: ({ hour, bucket, account, after, limit }) => [
    hour,
    bucket,
    account,
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: settledEvent,
}

export interface ListHourEvents {
  /** The hour in which the usage happened. */
  readonly hour: Hour
  /** The hour in whose bill it counts. */
  readonly cycle: Hour
  readonly bucket: number
  readonly account: string
  /** The key of the last event read before; undefined: from the first. */
  readonly after: Pick<SettledEvent, 'id' | 'source'> | undefined
  readonly limit: number
}

/**
 * A page of the events of one account's hour that count in a cycle, in key order. A range of the primary key: the next
 * page goes on where this one ended, however large the account is.
 */
export const listHourEvents: Query<ListHourEvents, EventRow, SettledEvent> = {
  name: 'list_hour_events',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes
      from usage_event
     where hour = $1 and cycle = $2 and bucket = $3 and account = $4 and (id, source) > ($5, $6)
     order by id, source
     limit $7`,
  values: ({ hour, cycle, bucket, account, after, limit }) => [
    hour,
    cycle,
    bucket,
    account,
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: settledEvent,
}

export interface ListChecksums {
  /** The cycle whose events are read; they lie in any of `hours`. */
  readonly cycle: Hour
  readonly hour: Hour
  readonly bucket: number
  readonly account: string
}

export interface ChecksumEvent extends SettledEvent {
  readonly checksum: number
}

/** The events of one account's hour that count in a cycle, with the checksums that they were stored with. */
export const listChecksums: Query<ListChecksums, EventRow & { checksum: number }, ChecksumEvent> = {
  name: 'list_checksums',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes, checksum
      from usage_event
     where hour = $1 and bucket = $2 and account = $3 and cycle = $4
     order by id, source`,
  values: ({ hour, bucket, account, cycle }) => [hour, bucket, account, cycle],
  decode: (raw) => ({ ...settledEvent(raw), checksum: raw.checksum }),
}

/** The UTC days (since 1970-01-01) that have a partition of events, newest first: elsewhere there are none. */
export const listEventDays: Query<void, { day: number }, number> = {
  name: 'list_event_days',
  text: `
    select day
      from event_tables() t, generate_series(t.from_hour / 24, (t.to_hour - 1) / 24) as day
     order by day desc`,
  values: () => [],
  decode: ({ day }) => day,
}

/** A partition of events has the hours in [from, to): whole days of UTC, of one calendar month. */
export interface EventTable {
  readonly from: Hour
  readonly to: Hour
}

/** Make the partition of an hour, if it is missing. Outside of ingest transactions. */
export const insertEventTable: Query<{ readonly hour: Hour }, EventTable, EventTable> = {
  name: 'insert_event_table',
  text: `select from_hour as from, to_hour as to from add_event_table($1)`,
  values: ({ hour }) => [hour],
  decode: (raw) => raw,
}

/** Where the partitions begin and end that hold what is settled, as hours: those of events, bills, and hours without. */
export const listTableBounds: Query<void, { hour: Hour }, Hour> = {
  name: 'list_table_bounds',
  text: `
    select distinct bound::int as hour
      from pg_inherits
      join pg_class part on part.oid = inhrelid
     cross join regexp_match(pg_get_expr(part.relpartbound, part.oid), '\\((\\d+)\\) TO \\((\\d+)\\)') as bounds
     cross join unnest(bounds) as bound
     where inhparent in ('usage_event'::regclass, 'bill'::regclass, 'settled_hour'::regclass)
     order by hour`,
  values: () => [],
  decode: ({ hour }) => hour,
}

/** Hours that are looked at: senders' clocks may be ahead by minutes, and never by days. */
const HOURS_SEARCHED = 48

/**
 * The latest hour with a stored event, among 48 from `from` on: usage that senders dated ahead of the database's clock.
 * By the primary key, whose first column is the hour.
 */
export const findLatestUsageHour: Query<{ readonly from: Hour }, { hour: Hour }, Hour> = {
  name: 'find_latest_usage_hour',
  text: `select hour from usage_event where hour >= $1 and hour < $2 order by hour desc limit 1`,
  values: ({ from }) => [from, from + HOURS_SEARCHED],
  decode: ({ hour }) => hour,
}

export interface FindNextFactHour {
  readonly after: Hour
  readonly before: Hour
}

/**
 * The oldest hour in (after, before) that has events, a bill, a settlement without one, or held events. Opens the partitions
 * in between, so these are few.
 */
export const findNextFactHour: Query<FindNextFactHour, { hour: Hour | null }, Hour | null> = {
  name: 'find_next_fact_hour',
  text: `
    select least((select min(hour) from usage_event where hour > $1 and hour < $2),
                 (select min(hour) from bill where hour > $1 and hour < $2),
                 (select min(hour) from settled_hour where hour > $1 and hour < $2),
                 (select min(hour) from held_event where hour > $1 and hour < $2)) as hour`,
  values: ({ after, before }) => [after, before],
  decode: ({ hour }) => hour,
}

/** Accounts whose events count in an hour, although it is not settled for them and not about to be. */
export const listUnsettledAccounts: Query<ReadHour, SettledAccount, SettledAccount> = {
  name: 'list_unsettled_accounts',
  text: `
    with facts as (
      select bucket, account from usage_event
       where hour = $1 and cycle = $1 and bucket = any ($2) and ($3::text is null or account = $3)
       union
      select bucket, account from late_hour
       where cycle = $1 and bucket = any ($2) and ($3::text is null or account = $3))
    select f.bucket, f.account
      from facts f
     where not exists (select from bill b
                        where b.hour = $1 and b.bucket = f.bucket and b.account = f.account)
       and not exists (select from settled_hour s
                        where s.hour = $1 and s.bucket = f.bucket and s.account = f.account)
       and not exists (select from backfill_hour h
                        where h.hour = $1 and h.bucket = f.bucket and h.account = f.account)
     order by f.bucket, f.account`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: (raw) => raw,
}
