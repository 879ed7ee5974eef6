import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Hours before `to` were counted. Under the claim. */
export const raiseCountedUntil: Query<{ readonly to: Hour }, never, void> = {
  name: 'raise_counted_until',
  text: `update source_watch set counted_until = $1`,
  values: ({ to }) => [to],
  decode: () => undefined,
}
