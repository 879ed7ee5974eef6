import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/** A page of what was ordered about one account's events in one cycle. */
export interface ReadActs {
  readonly cycle: Hour
  readonly bucket: number
  readonly account: string
  /** The key of the last one read before; undefined: from the first. */
  readonly after: Pick<EventKey, 'hour' | 'id' | 'source'> | undefined
  readonly limit: number
}

export function actsPosition({ cycle, bucket, account, after, limit }: ReadActs): readonly unknown[] {
  return [cycle, bucket, account, after?.hour ?? -1, after?.id ?? '', after?.source ?? '', limit]
}

/** Held events that were released into a cycle, in key order. */
export const readReleasedEvents: Query<ReadActs, EventKey, EventKey> = {
  name: 'read_released_events',
  text: `
    select hour, bucket, account, id, source
      from released_event
     where cycle = $1 and bucket = $2 and account = $3 and (hour, id, source) > ($4, $5, $6)
     order by hour, id, source
     limit $7`,
  values: actsPosition,
  decode: (raw) => raw,
}
