import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'
import type { Query } from './query.ts'
import type { SettledAccount } from './settled-hours.ts'

export interface ListCycleEvents {
  readonly bucket: number
  readonly account: string
  /** The hour in which the usage happened. */
  readonly hour: Hour
  /** The hour in whose bill it counts. */
  readonly cycle: Hour
  /** The key of the last event of the page before. */
  readonly after: { readonly id: string; readonly source: string } | undefined
  readonly limit: number
}

/** A stored event, not yet read again: `data` is the RFC 8785 text that was kept. */
export interface KeptEvent {
  readonly at: Instant
  readonly receivedAt: Instant
  readonly id: string
  readonly source: string
  readonly type: string
  readonly data: string
  readonly attributes: string | null
}

export interface RawKeptEvent extends Omit<KeptEvent, 'at' | 'receivedAt'> {
  readonly at: string
  readonly received_at: Date
}

export function decodeKeptEvent({ at, received_at, ...texts }: RawKeptEvent): KeptEvent {
  return { at: Number(at) as Instant, receivedAt: received_at.getTime() as Instant, ...texts }
}

/** An event behind a cycle's lines. */
export interface CountedEvent extends KeptEvent {
  /** It was voided, and the cycle gives back what an older one has billed. */
  readonly isTakenBack: boolean
}

/**
 * Events of one account that happened in one hour and make up a cycle's lines, in key order: those that count there,
 * those that were released into it, and those that it gives back. Found to be duplicates, or voided in the cycle itself,
 * they are on no line. Each is a range of a primary key, and no event is in two of them.
 */
export const listCycleEvents: Query<
  ListCycleEvents,
  RawKeptEvent & { readonly taken_back: boolean },
  CountedEvent
> = {
  name: 'list_cycle_events',
  text: `
    select e.*
      from (
           (select at, received_at, id, source, type, data, attributes, false as taken_back
              from usage_event e
             where hour = $1 and bucket = $2 and account = $3 and cycle = $4 and (id, source) > ($5, $6)
               and not exists (select from conflict_event c
                                where c.cycle = e.cycle and c.bucket = e.bucket and c.account = e.account
                                  and c.hour = e.hour and c.id = e.id and c.source = e.source)
               and not exists (select from voided_event v
                                where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                                  and v.id = e.id and v.source = e.source and v.cycle = $4)
             order by id, source
             limit $7)
           union all
           (select e.at, e.received_at, e.id, e.source, e.type, e.data, e.attributes, false
              from released_event r
              join usage_event e using (hour, bucket, account, id, source)
             where r.hour = $1 and e.hour = $1 and r.bucket = $2 and r.account = $3 and r.cycle = $4
               and (r.id, r.source) > ($5, $6)
               and not exists (select from voided_event v
                                where v.hour = r.hour and v.bucket = r.bucket and v.account = r.account
                                  and v.id = r.id and v.source = r.source and v.cycle = $4)
             order by r.id, r.source
             limit $7)
           union all
           (select e.at, e.received_at, e.id, e.source, e.type, e.data, e.attributes, true
              from voided_event v
              join usage_event e using (hour, bucket, account, id, source)
             where v.hour = $1 and e.hour = $1 and v.bucket = $2 and v.account = $3 and v.cycle = $4
               and v.counted < v.cycle and (v.id, v.source) > ($5, $6)
             order by v.id, v.source
             limit $7)) e
     order by e.id, e.source
     limit $7`,
  values: ({ hour, bucket, account, cycle, after, limit }) => [
    hour,
    bucket,
    account,
    cycle,
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: ({ taken_back, ...raw }) => ({ ...decodeKeptEvent(raw), isTakenBack: taken_back }),
}

export interface ListAdjustedAccounts {
  readonly cycle: Hour
  readonly buckets: readonly number[]
}

/** Accounts with releases or voids in a cycle: a range of an index each, mostly empty. */
export const listAdjustedAccounts: Query<ListAdjustedAccounts, SettledAccount, SettledAccount> = {
  name: 'list_adjusted_accounts',
  text: `
    select bucket, account from released_event where cycle = $1 and bucket = any ($2)
    union
    select bucket, account from voided_event where cycle = $1 and bucket = any ($2)
    order by bucket, account`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: (raw) => raw,
}
