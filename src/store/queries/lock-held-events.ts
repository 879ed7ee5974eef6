import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface LockHeldEvents {
  /** Those that were not looked at under this version. */
  readonly priceVersion: number
  readonly limit: number
}

/** Held events that a newer price book may cover, for this transaction alone; those that others have are theirs. */
export const lockHeldEvents: Query<LockHeldEvents, EventKey, EventKey> = {
  name: 'lock_held_events',
  text: `
    select hour, bucket, account, id, source
      from held_event
     where price_version < $1
     order by hour, bucket, account, id, source
     limit $2
       for update skip locked`,
  values: ({ priceVersion, limit }) => [priceVersion, limit],
  decode: (raw) => raw,
}
