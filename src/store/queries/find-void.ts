import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'
import { decodeVoidedEvent, type RawVoidedEvent, type VoidedEvent } from './read-voided-events.ts'

/** When, by whom and why an event was taken back, and in which cycle; undefined: it was not. */
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
