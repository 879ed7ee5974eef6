import type { Hour } from '../../core/time/hour.ts'
import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface AddReleasedEvents {
  /** The open hour in whose bill they count. */
  readonly cycle: Hour
  readonly keys: readonly EventKey[]
}

/** Held events count in this cycle. An event that was released before fails the transaction: it counts once. */
export const addReleasedEvents: Query<AddReleasedEvents, never, void> = {
  name: 'add_released_events',
  text: `
    insert into released_event (hour, bucket, account, id, source, cycle)
    select hour, bucket, account, id, source, $6
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[]) as k (hour, bucket, account, id, source)`,
  values: ({ cycle, keys }) => [...keyColumns(keys), cycle],
  decode: () => undefined,
}
