import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface ReadVoidedIdentities {
  readonly buckets: readonly number[]
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
}

/** Events that were taken back, of some buckets and hours: their identities stay taken, settled or not. */
export const readVoidedIdentities: Query<ReadVoidedIdentities, EventKey, EventKey> = {
  name: 'read_voided_identities',
  text: `
    select hour, bucket, account, id, source
      from voided_event
     where bucket = any ($1) and hour >= $2 and hour < $3`,
  values: ({ buckets, from, to }) => [buckets, from, to],
  decode: (raw) => raw,
}
