import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadIdentitySegments {
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Segments that may have identities of these buckets. */
  readonly buckets: readonly number[]
}

export interface IdentitySegment {
  readonly hour: Hour
  /** Ascending. */
  readonly fingerprints: Uint32Array
}

/** The fingerprints of what was settled in a range of usage hours. */
export const readIdentitySegments: Query<
  ReadIdentitySegments,
  { hour: Hour; fingerprints: Buffer },
  IdentitySegment
> = {
  name: 'read_identity_segments',
  text: `
    select hour, fingerprints
      from identity_segment
     where hour >= $1 and hour < $2 and to_bucket >= $3 and from_bucket <= $4`,
  values: ({ from, to, buckets }) => [from, to, Math.min(...buckets), Math.max(...buckets)],
  decode: ({ hour, fingerprints }) => ({ hour, fingerprints: readFingerprints(fingerprints) }),
}

/** Copied, because a view of 32-bit numbers must begin at a multiple of 4. */
function readFingerprints(bytes: Buffer): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer)
}
