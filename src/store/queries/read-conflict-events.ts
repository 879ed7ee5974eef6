import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { ConflictEvent } from './add-conflict-events.ts'

interface Raw extends Omit<ConflictEvent, 'standsHour'> {
  readonly stands_hour: Hour
}

/** The events of a cycle that are marked as copies. */
export const readConflictEvents: Query<
  { readonly cycle: Hour; readonly buckets: readonly number[] },
  Raw,
  ConflictEvent
> = {
  name: 'read_conflict_events',
  text: `
    select cycle, bucket, account, hour, id, source, stands_hour
      from conflict_event
     where cycle = $1 and bucket = any ($2)`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: ({ stands_hour, ...raw }) => ({ ...raw, standsHour: stands_hour }),
}
