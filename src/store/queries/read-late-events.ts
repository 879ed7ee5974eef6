import type { Hour } from '../../core/time/hour.ts'
import { type EventRow, settledEvent, type SettledEvent } from '../event-row.ts'
import type { Query } from '../query.ts'
import type { LateHour } from './read-late-hours.ts'

export interface ReadLateEvents extends LateHour {
  /** The later hour in which they count. */
  readonly cycle: Hour
}

/** The events of one account's older hour that count in a cycle, in key order. */
export const readLateEvents: Query<ReadLateEvents, EventRow, SettledEvent> = {
  name: 'read_late_events',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes
      from usage_event
     where hour = $1 and bucket = $2 and account = $3 and cycle = $4
     order by id, source`,
  values: ({ hour, bucket, account, cycle }) => [hour, bucket, account, cycle],
  decode: settledEvent,
}
