import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import { decodeLevelEvent, type LevelEvent, type RawLevelEvent } from './read-open-levels.ts'
import type { ReadWaitingHours } from './read-waiting-hours.ts'

export interface ReadWaitingLevels extends ReadWaitingHours {
  readonly hour: Hour
}

/** The levels of one hour that were held: those held still, and those released. */
export const readWaitingLevels: Query<ReadWaitingLevels, RawLevelEvent, LevelEvent> = {
  name: 'read_waiting_levels',
  text: `
    select e.at, e.id, e.source, e.type, e.data
      from usage_event e
     where e.hour = $4 and e.bucket = $1 and e.account = $2 and e.type = any ($3)
       and (exists (select from held_event h
                     where h.hour = e.hour and h.bucket = e.bucket and h.account = e.account
                       and h.id = e.id and h.source = e.source)
         or exists (select from released_event r
                     where r.hour = e.hour and r.bucket = e.bucket and r.account = e.account
                       and r.id = e.id and r.source = e.source))`,
  values: ({ bucket, account, types, hour }) => [bucket, account, types, hour],
  decode: decodeLevelEvent,
}
