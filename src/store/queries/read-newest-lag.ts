import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

/** The newest hour that has its bills, and since when. */
export const readNewestLag: Query<
  void,
  { hour: Hour; settled_at: Date },
  { readonly hour: Hour; readonly settledAt: Instant }
> = {
  name: 'read_newest_lag',
  text: `select hour, settled_at from cycle where settled_at is not null order by hour desc limit 1`,
  values: () => [],
  decode: ({ hour, settled_at }) => ({ hour, settledAt: settled_at.getTime() as Instant }),
}
