import type { EventVoid } from '../../core/bill/digest-text.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'
import { actsPosition, type ReadActs } from './read-released-events.ts'

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

/** Events that a cycle takes back, in key order. */
export const readVoidedEvents: Query<ReadActs, RawVoidedEvent, VoidedEvent> = {
  name: 'read_voided_events',
  text: `
    select hour, bucket, account, id, source, counted, ordered_at, ordered_by, reason
      from voided_event
     where cycle = $1 and bucket = $2 and account = $3 and (hour, id, source) > ($4, $5, $6)
     order by hour, id, source
     limit $7`,
  values: actsPosition,
  decode: decodeVoidedEvent,
}
