import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface ConflictEvent extends EventKey {
  readonly cycle: Hour
  /** The hour of the copy that counts. */
  readonly standsHour: Hour
}

/** Mark events as copies that are never billed. */
export const addConflictEvents: Query<readonly ConflictEvent[], never, void> = {
  name: 'add_conflict_events',
  text: `
    insert into conflict_event (cycle, bucket, account, hour, id, source, stands_hour)
    select * from unnest($1::int[], $2::smallint[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[])`,
  values: (events) => [
    events.map(({ cycle }) => cycle),
    events.map(({ bucket }) => bucket),
    events.map(({ account }) => account),
    events.map(({ hour }) => hour),
    events.map(({ id }) => id),
    events.map(({ source }) => source),
    events.map(({ standsHour }) => standsHour),
  ],
  decode: () => undefined,
}
