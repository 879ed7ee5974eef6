import type { EventVoid } from '../core/bill/digest-text.ts'
import type { Hour } from '../core/time/hour.ts'
import { type EventKey, keyColumns } from './key-columns.ts'
import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'
import { adjustmentsPosition, type ListAdjustments } from './releases.ts'

export interface NewVoid extends EventKey, EventVoid {
  readonly cycle: Hour
}

/** Take events back. @returns the indexes of those that were not voided before */
export const insertVoidedEvents: Query<readonly NewVoid[], { index: string }, number> = {
  name: 'insert_voided_events',
  text: `
    with k as (
           select *
             from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[],
                         $8::bigint[], $9::text[], $10::text[])
                  with ordinality
               as k (hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason, index)),
         added as (
           insert into voided_event (hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason)
           select hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason
             from k
            order by hour, bucket, account, id, source
               on conflict do nothing
           returning hour, bucket, account, id, source)
    select k.index from k join added using (hour, bucket, account, id, source)`,
  values: (voids) => [
    ...keyColumns(voids),
    voids.map(({ cycle }) => cycle),
    voids.map(({ counted }) => counted),
    voids.map(({ orderedAt }) => orderedAt),
    voids.map(({ orderedBy }) => orderedBy),
    voids.map(({ reason }) => reason),
  ],
  decode: ({ index }) => Number(index) - 1,
}

/** When, by whom and why an event was voided, and in which cycle; undefined: it was not. */
export const findVoid: Query<
  EventKey,
  RawVoidedEvent & { cycle: Hour },
  VoidedEvent & { readonly cycle: Hour }
> = {
  name: 'find_void',
  text: `
    select hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason
      from voided_event
     where hour = $1 and bucket = $2 and account = $3 and id = $4 and source = $5`,
  values: ({ hour, bucket, account, id, source }) => [hour, bucket, account, id, source],
  decode: ({ cycle, ...raw }) => ({ ...decodeVoidedEvent(raw), cycle }),
}

/** Which of these events were voided, by index. */
export const findVoidedEvents: Query<readonly EventKey[], { index: string }, number> = {
  name: 'find_voided_events',
  text: `
    select k.index
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
      join voided_event v using (hour, bucket, account, id, source)`,
  values: keyColumns,
  decode: ({ index }) => Number(index) - 1,
}

export interface VoidedEvent extends EventKey, EventVoid {}

export interface RawVoidedEvent extends EventKey {
  counted: Hour | null
  ordered_at: string
  ordered_by: string
  reason: string
}

export function decodeVoidedEvent({ ordered_at, ordered_by, ...row }: RawVoidedEvent): VoidedEvent {
  return { ...row, orderedAt: Number(ordered_at) as Instant, orderedBy: ordered_by }
}

/** Events that a cycle voids, in key order. */
export const listVoidedEvents: Query<ListAdjustments, RawVoidedEvent, VoidedEvent> = {
  name: 'list_voided_events',
  text: `
    select hour, bucket, account, id, source, counted, ordered_at, ordered_by, reason
      from voided_event
     where cycle = $1 and bucket = $2 and account = $3 and (hour, id, source) > ($4, $5, $6)
     order by hour, id, source
     limit $7`,
  values: adjustmentsPosition,
  decode: decodeVoidedEvent,
}

export interface ListVoidedIdentities {
  readonly buckets: readonly number[]
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
}

/** Events that were voided, of some buckets and hours: their identities stay taken, settled or not. */
export const listVoidedIdentities: Query<ListVoidedIdentities, EventKey, EventKey> = {
  name: 'list_voided_identities',
  text: `
    select hour, bucket, account, id, source
      from voided_event
     where bucket = any ($1) and hour >= $2 and hour < $3`,
  values: ({ buckets, from, to }) => [buckets, from, to],
  decode: (raw) => raw,
}

export interface ListVoidRows {
  /** Of one account, with its bucket; undefined: of all. */
  readonly account: { readonly name: string; readonly bucket: number } | undefined
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** The key of the last one read before. */
  readonly after: EventKey | undefined
  readonly limit: number
}

/** An event that was voided, by whom and why, and where that counts. */
export interface VoidRow extends EventKey {
  readonly cycle: Hour
  readonly counted: Hour | null
  readonly orderedAt: Instant
  readonly orderedBy: string
  readonly reason: string
  /** Has the cycle of the void its bill? */
  readonly isBilled: boolean
}

interface Raw extends EventKey {
  cycle: Hour
  counted: Hour | null
  ordered_at: string
  ordered_by: string
  reason: string
  is_billed: boolean
}

/** What was voided, in the order of the events' keys: a range of the primary key, or of voided_event_hour. */
export const listVoidRows: Query<ListVoidRows, Raw, VoidRow> = {
  name: 'list_void_rows',
  text: `
    select v.hour, v.bucket, v.account, v.id, v.source, v.cycle, v.counted, v.ordered_at, v.ordered_by, v.reason,
           exists (select from bill b
                    where b.hour = v.cycle and b.bucket = v.bucket and b.account = v.account) as is_billed
      from voided_event v
     where ($1::smallint is null or (v.bucket = $1 and v.account = $2))
       and v.hour >= $3 and v.hour < $4
       and (v.hour, v.bucket, v.account, v.id, v.source) > ($5, $6, $7, $8, $9)
     order by v.hour, v.bucket, v.account, v.id, v.source
     limit $10`,
  values: ({ account, from, to, after, limit }) => {
    const start = after ?? { hour: -1, bucket: -1, account: '', id: '', source: '' }
    const position = [start.hour, start.bucket, start.account, start.id, start.source]
    return [account?.bucket ?? null, account?.name ?? null, from, to, ...position, limit]
  },
  decode: ({ ordered_at, ordered_by, is_billed, ...row }) => ({
    ...row,
    orderedAt: Number(ordered_at) as Instant,
    orderedBy: ordered_by,
    isBilled: is_billed,
  }),
}
