import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/**
 * Which of these events were settled and are not marked as copies: they stand. By index. One statement for keys of many
 * days, whose partitions it opens.
 */
export const findStandingEvents: Query<readonly EventKey[], { index: string }, number> = {
  name: 'find_standing_events',
  text: `
    select k.index
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
     cross join lateral (
           select e.cycle from usage_event e
            where e.hour = k.hour and e.hour between $6 and $7 and e.bucket = k.bucket and e.account = k.account
              and e.id = k.id and e.source = k.source) e
     where not exists (select from conflict_event c
                        where c.cycle = e.cycle and c.bucket = k.bucket and c.account = k.account
                          and c.hour = k.hour and c.id = k.id and c.source = k.source)
       and (exists (select from bill b
                     where b.hour = e.cycle and b.bucket = k.bucket and b.account = k.account)
         or exists (select from settled_hour s
                     where s.hour = e.cycle and s.bucket = k.bucket and s.account = k.account))`,
  values: (keys) => [...keyColumns(keys), ...boundsOf(keys)],
  decode: ({ index }) => Number(index) - 1,
}

function boundsOf(keys: readonly EventKey[]): readonly [first: number, last: number] {
  return keys.reduce(([first, last], { hour }) => [Math.min(first, hour), Math.max(last, hour)] as const, [
    Infinity,
    -Infinity,
  ] as readonly [number, number])
}
