import type { Hour } from '../../core/time/hour.ts'
import { type EventRow, settledEvent, type SettledEvent } from '../event-row.ts'
import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { FindEvents } from './find-events.ts'

/** A stored event. `index` is that of its key. */
export interface KeyedEvent extends SettledEvent {
  readonly index: number
  /** In whose bill it counts, if nothing else was decided about it. */
  readonly cycle: Hour
  /** Is it marked as a copy, which counts nowhere? */
  readonly isCopy: boolean
}

/** The events of these keys. One probe of the primary key for each. */
export const readKeyedEvents: Query<
  FindEvents,
  EventRow & { index: string; cycle: Hour; is_copy: boolean },
  KeyedEvent
> = {
  name: 'read_keyed_events',
  text: `
    select k.index, e.hour, e.bucket, e.account, e.id, e.source, e.at, e.type, e.data, e.attributes, e.cycle,
           exists (select from conflict_event c
                    where c.cycle = e.cycle and c.bucket = e.bucket and c.account = e.account
                      and c.hour = e.hour and c.id = e.id and c.source = e.source) as is_copy
      from unnest($3::int[], $4::smallint[], $5::text[], $6::text[], $7::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
      join usage_event e
        on e.hour = k.hour and e.bucket = k.bucket and e.account = k.account
       and e.id = k.id and e.source = k.source
     where e.hour >= $1 and e.hour < $2`,
  values: ({ from, to, keys }) => [from, to, ...keyColumns(keys)],
  decode: ({ index, cycle, is_copy, ...row }) => ({
    ...settledEvent(row),
    cycle,
    index: Number(index) - 1,
    isCopy: is_copy,
  }),
}
