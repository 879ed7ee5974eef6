import type { BillLine } from '../core/bill/bill.ts'
import type { Hour } from '../core/time/hour.ts'
import { decodeLine, LINE_COLUMNS, type RawLine } from './bill-row.ts'
import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './cycle-events.ts'
import type { Query } from './query.ts'

export interface CountSourceDay {
  /** Usage hours in [from, to), all of one UTC day: one partition. */
  readonly from: Hour
  readonly to: Hour
  /** Only usage of this account; undefined: of all. */
  readonly account: string | undefined
  readonly bucket: number | undefined
  /** Only sources behind this one, in the order of their bytes; '' for all. */
  readonly after: string
  readonly limit: number
}

/** How many events a source has sent. */
export interface SourceEvents {
  readonly source: string
  readonly events: number
  /** Events that count in a later hour than their own. */
  readonly lateEvents: number
}

/** Sources of a day's events, in the order of their bytes. Reads the day, or the account's ranges of its key. */
export const countSourceDay: Query<CountSourceDay, SourceEvents, SourceEvents> = {
  name: 'count_source_day',
  text: `
    select source, count(*)::float8 as events, (count(*) filter (where cycle > hour))::float8 as "lateEvents"
      from usage_event
     where hour >= $1 and hour < $2 and source > $5
       and ($3::smallint is null or (bucket = $3 and account = $4))
     group by source
     order by source
     limit $6`,
  values: ({ from, to, account, bucket, after, limit }) => [from, to, bucket, account, after, limit],
  decode: (raw) => raw,
}

/** The key of an event within its usage hour. */
export interface HourPosition {
  readonly bucket: number
  readonly account: string
  readonly id: string
  readonly source: string
}

export interface ListSourceEvents {
  /** The hour in which the usage happened. */
  readonly hour: Hour
  /** Sources in [first, last], in the order of their bytes. */
  readonly first: string
  readonly last: string
  /** Only usage of this account; undefined: of all. */
  readonly account: string | undefined
  readonly bucket: number | undefined
  /** The last event read before; undefined: from the first. */
  readonly after: HourPosition | undefined
  readonly limit: number
}

/** An event, its account, and the hour in whose bill it counts. */
export interface SourceEvent extends KeptEvent, BillKey {}

/**
 * Events of an hour that count in a bill, in key order: a range of the primary key. Duplicates and events that were
 * voided in time count in none. What the data says is not judged here.
 */
export const listSourceEvents: Query<
  ListSourceEvents,
  RawKeptEvent & { bucket: number; account: string; cycle: Hour },
  SourceEvent
> = {
  name: 'list_source_events',
  text: `
    select bucket, account, cycle, at, received_at, id, source, type, data, attributes
      from usage_event e
     where hour = $1 and source >= $2 and source <= $3
       and ($4::smallint is null or (bucket = $4 and account = $5))
       and (bucket, account, id, source) > ($6, $7, $8, $9)
       and not exists (select from conflict_event c
                        where c.cycle = e.cycle and c.bucket = e.bucket and c.account = e.account
                          and c.hour = e.hour and c.id = e.id and c.source = e.source)
       and not exists (select from voided_event v
                        where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                          and v.id = e.id and v.source = e.source and v.cycle = e.cycle)
     order by bucket, account, id, source
     limit $10`,
  values: ({ hour, first, last, account, bucket, after, limit }) => [
    hour,
    first,
    last,
    bucket,
    account,
    after?.bucket ?? -1,
    after?.account ?? '',
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: ({ bucket, account, cycle, ...raw }) => ({ ...decodeKeptEvent(raw), bucket, account, cycle }),
}

/** Names a bill. */
export interface BillKey {
  readonly cycle: Hour
  readonly bucket: number
  readonly account: string
}

export interface ListUsageHourLines {
  /** The hour in which the usage happened. */
  readonly hour: Hour
  readonly bills: readonly BillKey[]
}

/** A line, and the bill that it is on. */
export interface UsageHourLine {
  readonly account: string
  readonly cycle: Hour
  readonly line: BillLine
}

/** Lines of some bills that are of one usage hour: for each bill a range of the primary key. */
export const listUsageHourLines: Query<
  ListUsageHourLines,
  RawLine & { readonly account: string; readonly hour: Hour },
  UsageHourLine
> = {
  name: 'list_usage_hour_lines',
  text: `
    select l.*
      from unnest($2::int[], $3::smallint[], $4::text[]) as k (hour, bucket, account)
     cross join lateral (
       select hour, account, ${LINE_COLUMNS}
         from bill_line
        where hour = k.hour and bucket = k.bucket and account = k.account and usage_hour = $1 and hour >= $1
       offset 0) l`,
  values: ({ hour, bills }) => [
    hour,
    bills.map(({ cycle }) => cycle),
    bills.map(({ bucket }) => bucket),
    bills.map(({ account }) => account),
  ],
  decode: ({ account, hour, ...raw }) => ({ account, cycle: hour, line: decodeLine(raw) }),
}
