import type { HeldCode } from '../core/rate/rating/assess.ts'
import { type EventKey, keyColumns } from './key-columns.ts'
import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'
import type { ReadHour } from './bills.ts'
import type { Hour } from '../core/time/hour.ts'

export interface HeldEvent extends EventKey {
  readonly code: HeldCode
  /** The operation or type that is unknown. */
  readonly subject: string
  readonly detail: string
  /** The version of the price book that does not cover it. */
  readonly priceVersion: number
}

/** Note why these events, stored in the same transaction, count nowhere yet. */
export const insertHeldEvents: Query<readonly HeldEvent[], never, void> = {
  name: 'insert_held_events',
  text: `
    insert into held_event (hour, bucket, account, id, source, code, subject, detail, price_version)
    select *
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::int[])`,
  values: heldColumns,
  decode: () => undefined,
}

/** As parallel arrays, for `unnest`. */
export function heldColumns(events: readonly HeldEvent[]): readonly unknown[] {
  return [
    ...keyColumns(events),
    events.map(({ code }) => code),
    events.map(({ subject }) => subject),
    events.map(({ detail }) => detail),
    events.map(({ priceVersion }) => priceVersion),
  ]
}

/**
 * These events are held no more: they are released, voided, or found to be duplicates. Waits for anyone who decides about
 * one of them at the same time.
 */
export const deleteHeldEvents: Query<readonly EventKey[], never, void> = {
  name: 'delete_held_events',
  text: `
    delete from held_event h
     using unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[]) as k (hour, bucket, account, id, source)
     where h.hour = k.hour and h.bucket = k.bucket and h.account = k.account and h.id = k.id and h.source = k.source`,
  values: keyColumns,
  decode: () => undefined,
}

export interface FoundHeldEvent {
  readonly code: HeldCode
  readonly detail: string
  readonly heldAt: Instant
}

/** Why an event is held, and since when, if it is. */
export const findHeldEvent: Query<
  EventKey,
  { code: HeldCode; detail: string; held_at: Date },
  FoundHeldEvent
> = {
  name: 'find_held_event',
  text: `
      select code, detail, held_at
        from held_event
       where hour = $1 and bucket = $2 and account = $3 and id = $4 and source = $5`,
  values: ({ hour, bucket, account, id, source }) => [hour, bucket, account, id, source],
  decode: ({ code, detail, held_at }) => ({ code, detail, heldAt: held_at.getTime() as Instant }),
}

/** What became of an event that its own cycle was sealed without. */
export interface HeldState {
  /** Index of its key. */
  readonly index: number
  /** Why it is held, and the newest version under which it was looked at; null: it is not held. */
  readonly held: {
    readonly code: HeldCode
    readonly subject: string
    readonly priceVersion: number
  } | null
  readonly isReleased: boolean
  readonly isVoided: boolean
}

interface Raw {
  index: string
  code: HeldCode | null
  subject: string
  price_version: number
  is_released: boolean
  is_voided: boolean
}

/** Of each key: is it held, released, voided? One probe of three primary keys for each. */
export const findHeldStates: Query<readonly EventKey[], Raw, HeldState> = {
  name: 'find_held_states',
  text: `
    select k.index, h.code, h.subject, h.price_version,
           exists (select from released_event r
                    where r.hour = k.hour and r.bucket = k.bucket and r.account = k.account
                      and r.id = k.id and r.source = k.source) as is_released,
           exists (select from voided_event v
                    where v.hour = k.hour and v.bucket = k.bucket and v.account = k.account
                      and v.id = k.id and v.source = k.source) as is_voided
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
      left join held_event h using (hour, bucket, account, id, source)`,
  values: keyColumns,
  decode: ({ index, code, subject, price_version, is_released, is_voided }) => ({
    index: Number(index) - 1,
    held: code === null ? null : { code, subject, priceVersion: price_version },
    isReleased: is_released,
    isVoided: is_voided,
  }),
}

/** Notes of an hour about held events that are not there, in key order. By the primary keys. */
export const findHeldWithoutEvent: Query<ReadHour, EventKey, EventKey> = {
  name: 'find_held_without_event',
  text: `
    select h.hour, h.bucket, h.account, h.id, h.source
      from held_event h
     where h.hour = $1 and h.bucket = any ($2) and ($3::text is null or h.account = $3)
       and not exists (select from usage_event e
                        where e.hour = $1 and e.hour = h.hour and e.bucket = h.bucket
                          and e.account = h.account and e.id = h.id and e.source = h.source)
     order by h.bucket, h.account, h.id, h.source`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: (raw) => raw,
}

/** Is there a held event that was not looked at under the newest price book? One probe of an index. */
export const findUnjudgedHeldEvent: Query<void, { unread: boolean }, boolean> = {
  name: 'find_unjudged_held_event',
  text: `
    select exists (select from held_event h where h.price_version < d.price_version) as unread
      from deployment d`,
  values: () => [],
  decode: ({ unread }) => unread,
}

/** What was looked at under a newer price book stays held, for a reason that may be another one now. */
export const updateHeldEvents: Query<readonly HeldEvent[], never, void> = {
  name: 'update_held_events',
  text: `
    update held_event h
       set code = k.code, subject = k.subject, detail = k.detail, price_version = k.price_version
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::int[])
           as k (hour, bucket, account, id, source, code, subject, detail, price_version)
     where h.hour = k.hour and h.bucket = k.bucket and h.account = k.account and h.id = k.id and h.source = k.source`,
  values: heldColumns,
  decode: () => undefined,
}

export interface LockHeldEvents {
  /** Those that were not looked at under this version. */
  readonly priceVersion: number
  /** Only this account; null: all that are not set aside. */
  readonly account: string | null
  readonly limit: number
}

/** Held events that a newer price book may cover, for this transaction alone; those that others have are theirs. */
export const lockHeldEvents: Query<LockHeldEvents, EventKey, EventKey> = {
  name: 'lock_held_events',
  text: `
    select hour, bucket, account, id, source
      from held_event h
     where price_version < $1
       and (account = $3 or $3 is null
                            and not exists (select from set_aside s where s.bucket = h.bucket and s.account = h.account))
     order by hour, bucket, account, id, source
     limit $2
       for update skip locked`,
  values: ({ priceVersion, limit, account }) => [priceVersion, limit, account],
  decode: (raw) => raw,
}

export interface ListHeldEventRows {
  readonly account: string | undefined
  readonly code: string | undefined
  readonly subject: string | undefined
  readonly after: EventKey | undefined
  readonly limit: number
}

export interface HeldRow extends EventKey {
  readonly code: HeldCode
  readonly subject: string
  readonly detail: string
  readonly heldAt: Instant
}

interface RawHeld extends Omit<EventKey, 'hour'> {
  readonly hour: Hour
  readonly code: HeldCode
  readonly subject: string
  readonly detail: string
  readonly held_at: Date
}

/** Held events in the order of their key, all or those of one reason. */
export const listHeldEventRows: Query<ListHeldEventRows, RawHeld, HeldRow> = {
  name: 'list_held_event_rows',
  text: `
    select hour, bucket, account, id, source, code, subject, detail, held_at
      from held_event
     where ($1::text is null or account = $1)
       and ($2::text is null or code = $2)
       and ($3::text is null or subject = $3)
       and (hour, bucket, account, id, source) > ($4, $5, $6, $7, $8)
     order by hour, bucket, account, id, source
     limit $9`,
  values: ({ account, code, subject, after, limit }) => {
    const start = after ?? { hour: -1, bucket: -1, account: '', id: '', source: '' }
    const position = [start.hour, start.bucket, start.account, start.id, start.source]
    return [account ?? null, code ?? null, subject ?? null, ...position, limit]
  },
  decode: ({ held_at, ...row }) => ({ ...row, heldAt: held_at.getTime() as Instant }),
}

export interface ListHeldGroupRows {
  /** Undefined: of all accounts. */
  readonly account: string | undefined
  readonly after: { readonly code: string; readonly subject: string } | undefined
  readonly limit: number
}

/** Events that are held for the same reason. */
export interface HeldGroup {
  readonly code: HeldCode
  /** The operation or type that is unknown. */
  readonly subject: string
  readonly events: number
  readonly accounts: number
  /** The first and the last hour with such usage. */
  readonly firstHour: Hour
  readonly lastHour: Hour
}

interface RawHeldGroup {
  readonly code: HeldCode
  readonly subject: string
  readonly events: string
  readonly accounts: string
  readonly first_hour: Hour
  readonly last_hour: Hour
}

/** Why events are held, and how many. Reads every held event of the groups: there should be few. */
export const listHeldGroupRows: Query<ListHeldGroupRows, RawHeldGroup, HeldGroup> = {
  name: 'list_held_group_rows',
  text: `
    select code, subject, count(*) as events, count(distinct account) as accounts,
           min(hour) as first_hour, max(hour) as last_hour
      from held_event
     where ($1::text is null or account = $1)
       and (code, subject) > ($2, $3)
     group by code, subject
     order by code, subject
     limit $4`,
  values: ({ account, after, limit }) => [account ?? null, after?.code ?? '', after?.subject ?? '', limit],
  decode: (raw) => ({
    code: raw.code,
    subject: raw.subject,
    events: Number(raw.events),
    accounts: Number(raw.accounts),
    firstHour: raw.first_hour,
    lastHour: raw.last_hour,
  }),
}
