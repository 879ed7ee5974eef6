import type { Query } from '../query.ts'

/** Held to the end of the transaction by the one restore of a database. @returns false when there is another one */
export const holdRestore: Query<void, { held: boolean }, boolean> = {
  name: 'hold_restore',
  text: `select pg_try_advisory_xact_lock(hashtext('farthing.restore')) as held`,
  values: () => [],
  decode: ({ held }) => held,
}
