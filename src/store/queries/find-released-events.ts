import type { Hour } from '../../core/time/hour.ts'
import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/** Which of these events were released, and into which cycle. `index` is that of the key. */
export const findReleasedEvents: Query<
  readonly EventKey[],
  { index: string; cycle: Hour },
  { readonly index: number; readonly cycle: Hour }
> = {
  name: 'find_released_events',
  text: `
    select k.index, r.cycle
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
      join released_event r using (hour, bucket, account, id, source)`,
  values: keyColumns,
  decode: ({ index, cycle }) => ({ index: Number(index) - 1, cycle }),
}
