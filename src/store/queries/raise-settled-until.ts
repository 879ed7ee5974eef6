import type { Query } from '../query.ts'

/** Hours that every bucket has settled have their bills. Whoever settles the last bucket notes it. */
export const raiseSettledUntil: Query<void, never, void> = {
  name: 'raise_settled_until',
  text: `
    with low as (select min(settled_until) as hour from bucket),
         raised as (
           update deployment d set settled_until = low.hour from low where low.hour > d.settled_until
           returning d.settled_until)
    update cycle c set settled_at = clock_timestamp() from raised r
     where c.hour < r.settled_until and c.settled_at is null`,
  values: () => [],
  decode: () => undefined,
}
