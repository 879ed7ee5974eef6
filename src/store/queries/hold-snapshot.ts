import type { Query } from '../query.ts'

/**
 * The first statement of a transaction that reads several times: it sees one moment. Otherwise an hour that is
 * settled in between would be missed, or seen twice.
 */
export const holdSnapshot: Query<void, never, void> = {
  name: 'hold_snapshot',
  text: `set transaction isolation level repeatable read, read only`,
  values: () => [],
  decode: () => undefined,
}
