import type { Query } from '../query.ts'
import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './read-cycle-events.ts'

/** The next 5,000 events of the cursor; fewer at its end. */
export const fetchOpenEvents: Query<void, RawKeptEvent, KeptEvent> = {
  name: 'fetch_open_events',
  text: `fetch 5000 from open_events`,
  values: () => [],
  decode: decodeKeptEvent,
}

export const FETCHED = 5_000
