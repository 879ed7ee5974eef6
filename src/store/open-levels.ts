import type { Instant } from '../core/time/instant.ts'
import type { Query } from './query.ts'
import type { OpenHour } from './open-usage.ts'
import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './cycle-events.ts'
import type { Hour } from '../core/time/hour.ts'

export interface ListOpenLevels extends OpenHour {
  readonly bucket: number
  readonly account: string
  /** Event types that announce levels. */
  readonly types: readonly string[]
  readonly after: { readonly id: string; readonly source: string } | undefined
  readonly limit: number
}

/** An event that announces a level. Its data is not yet understood. */
export interface LevelEvent {
  readonly at: Instant
  readonly id: string
  readonly source: string
  readonly type: string
  readonly data: string
}

export interface RawLevelEvent extends Omit<LevelEvent, 'at'> {
  readonly at: string
}

/** The levels that an account announced in an hour and that count in a cycle, a page of them: a range of the key. */
export const listOpenLevels: Query<ListOpenLevels, RawLevelEvent, LevelEvent> = {
  name: 'list_open_levels',
  text: `
    select at, id, source, type, data
      from usage_event
     where hour = $1 and bucket = $2 and account = $3 and cycle = $4 and type = any ($5)
       and (id, source) > ($6, $7)
     order by id, source
     limit $8`,
  values: ({ hour, bucket, account, cycle, types, after, limit }) => [
    hour,
    bucket,
    account,
    cycle,
    types,
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: decodeLevelEvent,
}

export function decodeLevelEvent({ at, ...raw }: RawLevelEvent): LevelEvent {
  return { ...raw, at: Number(at) as Instant }
}

export interface ListUnbilledLevels {
  readonly bucket: number
  readonly account: string
  /** Event types that announce levels. */
  readonly types: readonly string[]
  /** At least one, by hour: they bound the partitions that are opened. */
  readonly hours: readonly OpenHour[]
  readonly limit: number
}

/** Events on no bill yet that announce levels, in no order, without those that were voided. */
export const listUnbilledLevels: Query<ListUnbilledLevels, RawKeptEvent, KeptEvent> = {
  name: 'list_unbilled_levels',
  text: `
    select e.at, e.received_at, e.id, e.source, e.type, e.data, e.attributes
      from unnest($3::int[], $4::int[]) as k (hour, cycle)
     cross join lateral (
       select at, received_at, id, source, type, data, attributes
         from usage_event e
        where hour = k.hour and hour >= $5 and hour <= $6 and bucket = $1 and account = $2 and cycle = k.cycle
          and type = any ($7)
          and not exists (select from voided_event v
                           where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                             and v.id = e.id and v.source = e.source)
       offset 0) e
     limit $8`,
  values: ({ bucket, account, types, hours, limit }) => [
    bucket,
    account,
    hours.map(({ hour }) => hour),
    hours.map(({ cycle }) => cycle),
    hours[0]!.hour,
    hours.at(-1)!.hour,
    types,
    limit,
  ],
  decode: decodeKeptEvent,
}

export interface ListWaitingHours {
  readonly bucket: number
  readonly account: string
  /** Event types that announce levels. */
  readonly types: readonly string[]
}

/** The hours in which an account has levels that were held: those held still, and those released into open cycles. */
export const listWaitingHours: Query<ListWaitingHours, { hour: Hour }, Hour> = {
  name: 'list_waiting_hours',
  text: `
    select hour from held_event
     where code = 'held/unknown_type' and subject = any ($3) and account = $2 and bucket = $1
     union
    select hour from released_event
     where bucket = $1 and account = $2
       and cycle >= account_settled_until($1::smallint, $2)
     order by hour`,
  values: ({ bucket, account, types }) => [bucket, account, types],
  decode: ({ hour }) => hour,
}

export interface ListWaitingLevels extends ListWaitingHours {
  readonly hour: Hour
}

/** The levels of one hour that were held: those held still, and those released. */
export const listWaitingLevels: Query<ListWaitingLevels, RawLevelEvent, LevelEvent> = {
  name: 'list_waiting_levels',
  text: `
    select e.at, e.id, e.source, e.type, e.data
      from usage_event e
     where e.hour = $4 and e.bucket = $1 and e.account = $2 and e.type = any ($3)
       and (exists (select from held_event h
                     where h.hour = e.hour and h.bucket = e.bucket and h.account = e.account
                       and h.id = e.id and h.source = e.source)
         or exists (select from released_event r
                     where r.hour = e.hour and r.bucket = e.bucket and r.account = e.account
                       and r.id = e.id and r.source = e.source))`,
  values: ({ bucket, account, types, hour }) => [bucket, account, types, hour],
  decode: decodeLevelEvent,
}
