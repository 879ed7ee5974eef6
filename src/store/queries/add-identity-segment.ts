import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface AddIdentitySegment {
  /** Usage hours: [hour, hour + hours). */
  readonly hour: Hour
  readonly hours: number
  /** Claimed: all identities are of these. */
  readonly buckets: readonly number[]
  /** Ascending. */
  readonly fingerprints: Uint32Array
}

/** Remember the identities of usage hours that were settled, as `readIdentitySegments` finds them. */
export const addIdentitySegment: Query<AddIdentitySegment, never, void> = {
  name: 'add_identity_segment',
  text: `
    insert into identity_segment (hour, hours, from_bucket, to_bucket, fingerprints) values ($1, $2, $3, $4, $5)`,
  values: ({ hour, hours, buckets, fingerprints: { buffer, byteOffset, byteLength } }) => [
    hour,
    hours,
    Math.min(...buckets),
    Math.max(...buckets),
    Buffer.from(buffer, byteOffset, byteLength),
  ],
  decode: () => undefined,
}
