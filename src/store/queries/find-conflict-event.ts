import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { ConflictEvent } from './add-conflict-events.ts'

/** The hour of the copy that counts, if an event is marked as a copy of it. */
export const findConflictEvent: Query<Omit<ConflictEvent, 'standsHour'>, { stands_hour: Hour }, Hour> = {
  name: 'find_conflict_event',
  text: `
    select stands_hour from conflict_event
     where cycle = $1 and bucket = $2 and account = $3 and hour = $4 and id = $5 and source = $6`,
  values: ({ cycle, bucket, account, hour, id, source }) => [cycle, bucket, account, hour, id, source],
  decode: ({ stands_hour }) => stands_hour,
}
