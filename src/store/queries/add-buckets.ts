import { BUCKETS } from '../../core/ingest/bucket.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Make the rows that settlement claims, one a bucket. */
export const addBuckets: Query<{ readonly settledUntil: Hour }, never, void> = {
  name: 'add_buckets',
  text: `insert into bucket (bucket, settled_until) select bucket, $1 from generate_series(0, $2::int - 1) as bucket`,
  values: ({ settledUntil }) => [settledUntil, BUCKETS],
  decode: () => undefined,
}
