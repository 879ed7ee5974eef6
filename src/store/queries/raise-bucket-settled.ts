import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** The claimed buckets have settled the hour before `to`. */
export const raiseBucketSettled: Query<
  { readonly buckets: readonly number[]; readonly to: Hour },
  never,
  void
> = {
  name: 'raise_bucket_settled',
  text: `update bucket set settled_until = $2 where bucket = any ($1) and settled_until = $2 - 1`,
  values: ({ buckets, to }) => [buckets, to],
  decode: () => undefined,
}
