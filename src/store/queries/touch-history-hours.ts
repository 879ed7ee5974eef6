import type { Query } from '../query.ts'
import type { AccountHourKey } from './find-closed-hours.ts'

export interface TouchedHour extends AccountHourKey {
  /** The import that wrote to it; '' for any other sender. */
  readonly writer: string
}

/** History was committed for these account-hours: their quiet time begins anew. In key order, against deadlocks. */
export const touchHistoryHours: Query<readonly TouchedHour[], never, void> = {
  name: 'touch_history_hours',
  text: `
    insert into history_hour as h (bucket, account, hour, touched_at, writers)
    select bucket, account, hour, clock_timestamp(), array_agg(distinct writer)
      from unnest($1::smallint[], $2::text[], $3::int[], $4::text[]) as k (bucket, account, hour, writer)
     group by bucket, account, hour
     order by bucket, account collate "C", hour
        on conflict (bucket, account, hour) do update
       set touched_at = excluded.touched_at,
           writers = (select array_agg(distinct w) from unnest(h.writers || excluded.writers) as w)`,
  values: (keys) => [
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
    keys.map(({ writer }) => writer),
  ],
  decode: () => undefined,
}
