import type { EventRow, SettledEvent } from '../event-row.ts'
import { settledEvent } from '../event-row.ts'
import type { Query } from '../query.ts'
import type { Hour } from '../../core/time/hour.ts'

export interface ReadHourEvents {
  readonly hour: Hour
  readonly buckets: readonly number[]
  /** Only these accounts; null: all. */
  readonly accounts: readonly string[] | null
  /** The key of the last event read before; undefined: from the first. */
  readonly after: Pick<SettledEvent, 'bucket' | 'account' | 'id' | 'source'> | undefined
  readonly limit: number
}

/**
 * A page of the events that count in their own hour, in key order, so that the accounts of a bucket come one after
 * the other. A range scan of the primary key; the next page goes on where this one ended.
 */
export const readHourEvents: Query<ReadHourEvents, EventRow, SettledEvent> = {
  name: 'read_hour_events',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes
      from usage_event
     where hour = $1 and cycle = $1 and bucket = any ($2)
       and (bucket, account, id, source) > ($3, $4, $5, $6)
       and ($7::text[] is null or account = any ($7))
     order by bucket, account, id, source
     limit $8`,
  values: ({ hour, buckets, accounts, after, limit }) => [
    hour,
    buckets,
    after?.bucket ?? -1,
    after?.account ?? '',
    after?.id ?? '',
    after?.source ?? '',
    accounts,
    limit,
  ],
  decode: settledEvent,
}
