import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadCycleEvents {
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

/**
 * Events of one account that happened in one hour and count in one cycle, in key order: a range of the key. Those that
 * were found to be copies count nowhere.
 */
export const readCycleEvents: Query<ReadCycleEvents, RawKeptEvent, KeptEvent> = {
  name: 'read_cycle_events',
  text: `
    select at, received_at, id, source, type, data, attributes
      from usage_event e
     where hour = $1 and bucket = $2 and account = $3 and cycle = $4
       and not exists (select from conflict_event c
                        where c.cycle = e.cycle and c.bucket = e.bucket and c.account = e.account
                          and c.hour = e.hour and c.id = e.id and c.source = e.source)
       and (id, source) > ($5, $6)
     order by id, source
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
  decode: decodeKeptEvent,
}
