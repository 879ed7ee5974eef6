import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'
import type { ReadHour } from './read-hour-bills.ts'

/** Notes of an hour about held events that are not there, in key order. By the primary keys. */
export const findHeldWithoutEvent: Query<ReadHour, EventKey, EventKey> = {
  name: 'find_held_without_event',
  text: `
    select h.hour, h.bucket, h.account, h.id, h.source
      from held_event h
     where h.hour = $1 and h.bucket = any ($2) and ($3::text is null or h.account = $3)
       and not exists (select from usage_event e
                        where e.hour = $1 and e.hour = h.hour and e.bucket = h.bucket
                          and e.account = h.account and e.id = h.id and e.source = h.source)
     order by h.bucket, h.account, h.id, h.source`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: (raw) => raw,
}
