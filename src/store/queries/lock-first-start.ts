import type { Query } from '../query.ts'

/** One first start at a time in a database, until the transaction ends. Read in a later statement. */
export const lockFirstStart: Query<void, never, void> = {
  name: 'lock_first_start',
  text: `select pg_advisory_xact_lock(hashtext('farthing.first_start'))`,
  values: () => [],
  decode: () => undefined,
}
