import type { Query } from '../query.ts'
import type { AccountHourKey } from './find-closed-hours.ts'

/** History was committed for these account-hours: their quiet time begins anew. In key order, against deadlocks. */
export const touchHistoryHours: Query<readonly AccountHourKey[], never, void> = {
  name: 'touch_history_hours',
  text: `
    insert into history_hour (bucket, account, hour, touched_at)
    select bucket, account, hour, clock_timestamp()
      from unnest($1::smallint[], $2::text[], $3::int[]) as k (bucket, account, hour)
     order by bucket, account collate "C", hour
        on conflict (bucket, account, hour) do update set touched_at = excluded.touched_at`,
  values: (keys) => [
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
  ],
  decode: () => undefined,
}
