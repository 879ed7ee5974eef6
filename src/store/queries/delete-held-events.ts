import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/**
 * These events are held no more: they are released, taken back, or found to be copies. Waits for whoever decides about
 * one of them at the same time.
 */
export const deleteHeldEvents: Query<readonly EventKey[], never, void> = {
  name: 'delete_held_events',
  text: `
    delete from held_event h
     using unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[]) as k (hour, bucket, account, id, source)
     where h.hour = k.hour and h.bucket = k.bucket and h.account = k.account and h.id = k.id and h.source = k.source`,
  values: keyColumns,
  decode: () => undefined,
}
