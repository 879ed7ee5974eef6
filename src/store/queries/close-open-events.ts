import type { Query } from '../query.ts'

/** Done with the cursor: another one of its name may be opened. */
export const closeOpenEvents: Query<void, never, void> = {
  name: 'close_open_events',
  text: `close open_events`,
  values: () => [],
  decode: () => undefined,
}
