import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './read-cycle-events.ts'
import type { Query } from '../query.ts'
import type { OpenHour } from './read-open-hours.ts'

export interface ReadUnbilledLevels {
  readonly bucket: number
  readonly account: string
  /** Event types that announce levels. */
  readonly types: readonly string[]
  /** At least one, by hour: they bound the partitions that are opened. */
  readonly hours: readonly OpenHour[]
  readonly limit: number
}

/** Events on no bill yet that announce levels, in no order, without those that were taken back. */
export const readUnbilledLevels: Query<ReadUnbilledLevels, RawKeptEvent, KeptEvent> = {
  name: 'read_unbilled_levels',
  text: `
    select e.at, e.received_at, e.id, e.source, e.type, e.data, e.attributes
      from unnest($3::int[], $4::int[]) as k (hour, cycle)
     cross join lateral (
       select at, received_at, id, source, type, data, attributes
         from usage_event e
        where hour = k.hour and hour >= $5 and hour <= $6 and bucket = $1 and account = $2 and cycle = k.cycle
          and type = any ($7)
          and not exists (select from voided_event v
                           where v.hour = e.hour and v.bucket = e.bucket and v.account = e.account
                             and v.id = e.id and v.source = e.source)
       offset 0) e
     limit $8`,
  values: ({ bucket, account, types, hours, limit }) => [
    bucket,
    account,
    hours.map(({ hour }) => hour),
    hours.map(({ cycle }) => cycle),
    hours[0]!.hour,
    hours.at(-1)!.hour,
    types,
    limit,
  ],
  decode: decodeKeptEvent,
}
