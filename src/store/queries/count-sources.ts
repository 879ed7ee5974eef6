import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/**
 * Count the stored events of an hour by source: note which sources have reported in it, and the counts of those that
 * have announced it. Reads the hour's partition of the day once, by its key. Run again it notes what is true then.
 */
export const countSourcesOf: Query<{ readonly hour: Hour }, never, void> = {
  name: 'count_sources',
  text: `
    with counted as materialized (
      select source, count(*) as events from usage_event where hour = $1::int group by source),
    present as (
      insert into source_presence as p (source, last_hour, hours)
      select source, $1::int, 1::bit(192) from counted order by source
          on conflict (source) do update
         set hours = case
               when $1 > p.last_hour then (p.hours << least($1 - p.last_hour, 192)) | 1::bit(192)
               when p.last_hour - $1 < 192 then p.hours | (1::bit(192) << (p.last_hour - $1))
               else p.hours end,
             last_hour = greatest(p.last_hour, $1),
             silent_since = case when p.silent_since > $1 then p.silent_since end,
             acknowledged_by = case when p.silent_since > $1 then p.acknowledged_by end)
    insert into source_count (hour, source, events)
    select $1::int, m.source, coalesce(c.events, 0)
      from (select distinct source from manifest where hour = $1) m
      left join counted c on c.source = m.source
     order by m.source
        on conflict (hour, source) do update set events = excluded.events`,
  values: ({ hour }) => [hour],
  decode: () => undefined,
}
