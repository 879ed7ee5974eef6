import type { Hour } from '../../core/time/hour.ts'
import { type EventRow, settledEvent, type SettledEvent } from '../event-row.ts'
import type { Query } from '../query.ts'

export interface ReadAccountHourEvents {
  /** The hour in which the usage happened. */
  readonly hour: Hour
  readonly bucket: number
  readonly account: string
  /** The key of the last event read before; undefined: from the first. */
  readonly after: Pick<SettledEvent, 'id' | 'source'> | undefined
  readonly limit: number
}

/** All events of one account's hour, in whichever cycle they count, in key order: a range of the primary key. */
export const readAccountHourEvents: Query<ReadAccountHourEvents, EventRow, SettledEvent> = {
  name: 'read_account_hour_events',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes
      from usage_event
     where hour = $1 and bucket = $2 and account = $3 and (id, source) > ($4, $5)
     order by id, source
     limit $6`,
  values: ({ hour, bucket, account, after, limit }) => [
    hour,
    bucket,
    account,
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: settledEvent,
}
