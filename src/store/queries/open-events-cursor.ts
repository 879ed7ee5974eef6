import type { Query } from '../query.ts'
import type { OpenHour } from './read-open-hours.ts'

export interface OpenEventsCursor {
  readonly bucket: number
  readonly account: string
  /** At least one, by hour: they bound the partitions that are opened. */
  readonly hours: readonly OpenHour[]
}

/**
 * A cursor over the events of one account in some hours, in no order: `fetchOpenEvents` reads from it. Those that were
 * taken back in time, and will be left out, are not among them.
 */
export const openEventsCursor: Query<OpenEventsCursor, never, void> = {
  name: 'open_events_cursor',
  text: `
    declare open_events no scroll cursor for
    select e.at, e.received_at, e.id, e.source, e.type, e.data, e.attributes
      from unnest($3::int[], $4::int[]) as k (hour, cycle)
     cross join lateral (
       select at, received_at, id, source, type, data, attributes
         from usage_event e
        where hour = k.hour and hour >= $5 and hour <= $6 and bucket = $1 and account = $2 and cycle = k.cycle
          and not exists (select from voided_event v
                           where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                             and v.id = e.id and v.source = e.source and v.cycle = e.cycle)
       offset 0) e`,
  values: ({ bucket, account, hours }) => [
    bucket,
    account,
    hours.map(({ hour }) => hour),
    hours.map(({ cycle }) => cycle),
    hours[0]!.hour,
    hours.at(-1)!.hour,
  ],
  decode: () => undefined,
}
