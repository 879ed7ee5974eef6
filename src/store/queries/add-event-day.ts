import type { Query } from '../query.ts'

/** Make the partition of a UTC day (days since 1970-01-01), if it is missing. Outside of ingest transactions. */
export const addEventDay: Query<{ readonly day: number }, never, void> = {
  name: 'add_event_day',
  text: `select add_event_day($1)`,
  values: ({ day }) => [day],
  decode: () => undefined,
}
