import { BUCKETS } from '../core/ingest/bucket.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import type { DueCycle } from './cycles.ts'

/** Make the rows that settlement claims, one a bucket. */
export const insertBuckets: Query<{ readonly settledUntil: Hour }, never, void> = {
  name: 'insert_buckets',
  text: `insert into bucket (bucket, settled_until) select bucket, $1 from generate_series(0, $2::int - 1) as bucket`,
  values: ({ settledUntil }) => [settledUntil, BUCKETS],
  decode: () => undefined,
}

export interface ClaimBuckets {
  /** The live hour that is to be settled. */
  readonly hour: Hour
  /** Buckets in [from, to). */
  readonly from: number
  readonly to: number
}

/**
 * Claim the buckets of a range whose next hour is this one, and whose sealed backfill is settled, until the end of the
 * transaction. Those that another process has claimed are left to it, and those with an account that is set aside are
 * settled one by one (set-aside.ts).
 */
export const claimBuckets: Query<ClaimBuckets, { bucket: number }, number> = {
  name: 'claim_buckets',
  text: `
    select bucket
      from bucket b
     where settled_until = $1 and bucket >= $2 and bucket < $3
       and not exists (select from backfill_hour h where h.bucket = b.bucket and h.price_version is not null)
       and not exists (select from set_aside s where s.bucket = b.bucket)
     order by bucket
       for update skip locked`,
  values: ({ hour, from, to }) => [hour, from, to],
  decode: ({ bucket }) => bucket,
}

/** Claim the buckets that have sealed backfill of an hour and price version, as `claimBuckets` does. */
export const claimBackfillBuckets: Query<DueCycle, { bucket: number }, number> = {
  name: 'claim_backfill_buckets',
  text: `
    select bucket
      from bucket b
     where exists (select from backfill_hour h where h.bucket = b.bucket and h.hour = $1 and h.price_version = $2)
       and not exists (select from set_aside s where s.bucket = b.bucket)
     order by bucket
       for update skip locked`,
  values: ({ hour, priceVersion }) => [hour, priceVersion],
  decode: ({ bucket }) => bucket,
}

/** The claimed buckets have settled the hour before `to`. */
export const updateBucketSettled: Query<
  { readonly buckets: readonly number[]; readonly to: Hour },
  never,
  void
> = {
  name: 'update_bucket_settled',
  text: `update bucket set settled_until = $2 where bucket = any ($1) and settled_until = $2 - 1`,
  values: ({ buckets, to }) => [buckets, to],
  decode: () => undefined,
}
