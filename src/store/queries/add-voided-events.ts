import type { EventVoid } from '../../core/bill/digest-text.ts'
import type { Hour } from '../../core/time/hour.ts'
import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface NewVoid extends EventKey, EventVoid {
  readonly cycle: Hour
}

/** Take events back. @returns the indexes of those that were not taken back before */
export const addVoidedEvents: Query<readonly NewVoid[], { index: string }, number> = {
  name: 'add_voided_events',
  text: `
    with k as (
           select *
             from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[],
                         $8::bigint[], $9::text[], $10::text[])
                  with ordinality
               as k (hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason, index)),
         added as (
           insert into voided_event (hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason)
           select hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason
             from k
            order by hour, bucket, account, id, source
               on conflict do nothing
           returning hour, bucket, account, id, source)
    select k.index from k join added using (hour, bucket, account, id, source)`,
  values: (voids) => [
    ...keyColumns(voids),
    voids.map(({ cycle }) => cycle),
    voids.map(({ counted }) => counted),
    voids.map(({ orderedAt }) => orderedAt),
    voids.map(({ orderedBy }) => orderedBy),
    voids.map(({ reason }) => reason),
  ],
  decode: ({ index }) => Number(index) - 1,
}
