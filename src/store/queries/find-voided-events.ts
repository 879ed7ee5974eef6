import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/** Which of these events were taken back, by index. */
export const findVoidedEvents: Query<readonly EventKey[], { index: string }, number> = {
  name: 'find_voided_events',
  text: `
    select k.index
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
      join voided_event v using (hour, bucket, account, id, source)`,
  values: keyColumns,
  decode: ({ index }) => Number(index) - 1,
}
