import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ClaimBuckets {
  /** The live hour that is to be settled. */
  readonly hour: Hour
  /** Buckets in [from, to). */
  readonly from: number
  readonly to: number
}

/**
 * Claim the buckets of a range whose next hour is this one, and whose sealed history is settled, until the end of the
 * transaction. Those that another process has claimed are left to it.
 */
export const claimBuckets: Query<ClaimBuckets, { bucket: number }, number> = {
  name: 'claim_buckets',
  text: `
    select bucket
      from bucket b
     where settled_until = $1 and bucket >= $2 and bucket < $3
       and not exists (select from history_hour h where h.bucket = b.bucket and h.price_version is not null)
     order by bucket
       for update skip locked`,
  values: ({ hour, from, to }) => [hour, from, to],
  decode: ({ bucket }) => bucket,
}
