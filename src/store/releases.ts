import type { Hour } from '../core/time/hour.ts'
import { type EventKey, keyColumns } from './key-columns.ts'
import type { Query } from './query.ts'

export interface InsertReleasedEvents {
  /** The open hour in whose bill they count. */
  readonly cycle: Hour
  readonly keys: readonly EventKey[]
}

/** Held events count in this cycle. An event that was released before fails the transaction: it counts once. */
export const insertReleasedEvents: Query<InsertReleasedEvents, never, void> = {
  name: 'insert_released_events',
  text: `
    insert into released_event (hour, bucket, account, id, source, cycle)
    select hour, bucket, account, id, source, $6
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[]) as k (hour, bucket, account, id, source)`,
  values: ({ cycle, keys }) => [...keyColumns(keys), cycle],
  decode: () => undefined,
}

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

/** A page of what was ordered about one account's events in one cycle. */
export interface ListAdjustments {
  readonly cycle: Hour
  readonly bucket: number
  readonly account: string
  /** The key of the last one read before; undefined: from the first. */
  readonly after: Pick<EventKey, 'hour' | 'id' | 'source'> | undefined
  readonly limit: number
}

export function adjustmentsPosition({
  cycle,
  bucket,
  account,
  after,
  limit,
}: ListAdjustments): readonly unknown[] {
  return [cycle, bucket, account, after?.hour ?? -1, after?.id ?? '', after?.source ?? '', limit]
}

/** Held events that were released into a cycle, in key order. */
export const listReleasedEvents: Query<ListAdjustments, EventKey, EventKey> = {
  name: 'list_released_events',
  text: `
    select hour, bucket, account, id, source
      from released_event
     where cycle = $1 and bucket = $2 and account = $3 and (hour, id, source) > ($4, $5, $6)
     order by hour, id, source
     limit $7`,
  values: adjustmentsPosition,
  decode: (raw) => raw,
}
