import type { Query } from '../query.ts'

/** Make a version the newest. Only while holding the gate alone: events are judged under the newest, always. */
export const raisePriceVersion: Query<{ readonly version: number }, never, void> = {
  name: 'raise_price_version',
  text: `update deployment set price_version = $1 where price_version = $1 - 1`,
  values: ({ version }) => [version],
  decode: () => undefined,
}
