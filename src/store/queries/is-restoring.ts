import type { Query } from '../query.ts'

/** Is a backup being restored into this database, now? Keeps none from beginning. */
export const isRestoring: Query<void, { free: boolean }, boolean> = {
  name: 'is_restoring',
  text: `select pg_try_advisory_xact_lock_shared(hashtext('farthing.restore')) as free`,
  values: () => [],
  decode: ({ free }) => !free,
}
