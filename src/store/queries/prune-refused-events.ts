import type { Query } from '../query.ts'

/** Forget the oldest refused events beyond the newest `kept`. Numbers have gaps, so it may keep a few less. */
export const pruneRefusedEvents: Query<{ readonly kept: number }, never, void> = {
  name: 'prune_refused_events',
  text: `delete from refused_event where number <= (select max(number) from refused_event) - $1`,
  values: ({ kept }) => [kept],
  decode: () => undefined,
}
