import type { Query } from '../query.ts'
import type { DueCycle } from './due-cycles.ts'

/** Claim the buckets that have sealed history of an hour and price version, as `claimBuckets` does. */
export const claimHistoryBuckets: Query<DueCycle, { bucket: number }, number> = {
  name: 'claim_history_buckets',
  text: `
    select bucket
      from bucket b
     where exists (select from history_hour h where h.bucket = b.bucket and h.hour = $1 and h.price_version = $2)
     order by bucket
       for update skip locked`,
  values: ({ hour, priceVersion }) => [hour, priceVersion],
  decode: ({ bucket }) => bucket,
}
