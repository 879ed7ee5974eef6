import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Events of an hour, counted up to a limit: to size transactions. */
export const countEvents: Query<{ readonly hour: Hour; readonly limit: number }, { events: number }, number> =
  {
    name: 'count_events',
    text: `select count(*)::int as events from (select from usage_event where hour = $1 limit $2) e`,
    values: ({ hour, limit }) => [hour, limit],
    decode: ({ events }) => events,
  }
