import type { HeldCode } from '../../core/rate/assess.ts'
import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface HeldEvent extends EventKey {
  readonly code: HeldCode
  /** The operation or type that is unknown. */
  readonly subject: string
  readonly detail: string
  /** The version of the price book that does not cover it. */
  readonly priceVersion: number
}

/** Note why these events, stored in the same transaction, count nowhere yet. */
export const addHeldEvents: Query<readonly HeldEvent[], never, void> = {
  name: 'add_held_events',
  text: `
    insert into held_event (hour, bucket, account, id, source, code, subject, detail, price_version)
    select *
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::int[])`,
  values: heldColumns,
  decode: () => undefined,
}

/** As parallel arrays, for `unnest`. */
export function heldColumns(events: readonly HeldEvent[]): readonly unknown[] {
  return [
    ...keyColumns(events),
    events.map(({ code }) => code),
    events.map(({ subject }) => subject),
    events.map(({ detail }) => detail),
    events.map(({ priceVersion }) => priceVersion),
  ]
}
