import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/** Which of these events were settled and are not marked as copies: they stand. By index. */
export const findStandingEvents: Query<readonly EventKey[], { index: string }, number> = {
  name: 'find_standing_events',
  text: `
    select k.index
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
     cross join lateral (
           select e.cycle from usage_event e
            where e.hour = k.hour and e.bucket = k.bucket and e.account = k.account
              and e.id = k.id and e.source = k.source) e
     where not exists (select from conflict_event c
                        where c.cycle = e.cycle and c.bucket = k.bucket and c.account = k.account
                          and c.hour = k.hour and c.id = k.id and c.source = k.source)
       and (exists (select from bill b
                     where b.hour = e.cycle and b.bucket = k.bucket and b.account = k.account)
         or exists (select from settled_hour s
                     where s.hour = e.cycle and s.bucket = k.bucket and s.account = k.account))`,
  values: (keys) => [
    keys.map(({ hour }) => hour),
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ id }) => id),
    keys.map(({ source }) => source),
  ],
  decode: ({ index }) => Number(index) - 1,
}
