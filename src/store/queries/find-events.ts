import type { Identity } from '../../core/ingest/event.ts'
import { type Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'

/** Where an event stands in the key. */
export interface EventKey extends Identity {
  readonly hour: Hour
  readonly bucket: number
}

export interface FindEvents {
  /** The hours of the keys lie in [from, to): one UTC day, so that one partition is opened. */
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

/** Which of these keys are taken, and by what. One probe of the primary key for each. */
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
      join usage_event e
        on e.hour = k.hour and e.bucket = k.bucket and e.account = k.account
       and e.id = k.id and e.source = k.source
     where e.hour >= $1 and e.hour < $2`,
  values: ({ from, to, keys }) => [from, to, ...keyColumns(keys)],
  decode: ({ index, type, at, data }) => ({
    index: Number(index) - 1,
    type,
    at: Number(at) as Instant,
    data,
  }),
}
