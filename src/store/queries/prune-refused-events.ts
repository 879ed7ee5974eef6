import type { Query } from '../query.ts'

/**
 * Forget the oldest refused events beyond the newest `kept`, by the primary key. Those that are being counted up at this
 * moment are passed over, so that nobody waits for anybody. Their counts by kind stay.
 */
export const pruneRefusedEvents: Query<{ readonly kept: number }, never, void> = {
  name: 'prune_refused_events',
  text: `
    delete from refused_event
     where number = any (array(
       select number from refused_event
        where number <= (select number from refused_event order by number desc offset $1 limit 1)
          for update skip locked))`,
  values: ({ kept }) => [kept],
  decode: () => undefined,
}
