import type { Hour } from '../../core/time/hour.ts'
import { type EventRow, settledEvent, type SettledEvent } from '../event-row.ts'
import type { Query } from '../query.ts'

export interface ReadHourEvents {
  /** The hour in which the usage happened. */
  readonly hour: Hour
  /** The hour in whose bill it counts. */
  readonly cycle: Hour
  readonly bucket: number
  readonly account: string
  /** The key of the last event read before; undefined: from the first. */
  readonly after: Pick<SettledEvent, 'id' | 'source'> | undefined
  readonly limit: number
}

/**
 * A page of the events of one account's hour that count in a cycle, in key order. A range of the primary key: the next
 * page goes on where this one ended, however large the account is.
 */
export const readHourEvents: Query<ReadHourEvents, EventRow, SettledEvent> = {
  name: 'read_hour_events',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes
      from usage_event
     where hour = $1 and cycle = $2 and bucket = $3 and account = $4 and (id, source) > ($5, $6)
     order by id, source
     limit $7`,
  values: ({ hour, cycle, bucket, account, after, limit }) => [
    hour,
    cycle,
    bucket,
    account,
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: settledEvent,
}
