import type { Query } from '../query.ts'

/** The UTC days (since 1970-01-01) that have a partition of events, newest first: elsewhere there are none. */
export const readEventDays: Query<void, { day: number }, number> = {
  name: 'read_event_days',
  text: `
    select substring(partition.relname from '\\d+$')::int as day
      from pg_inherits
      join pg_class partition on partition.oid = inhrelid
     where inhparent = 'usage_event'::regclass
     order by day desc`,
  values: () => [],
  decode: ({ day }) => day,
}
