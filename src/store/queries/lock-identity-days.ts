import type { Query } from '../query.ts'

/** One process joins segments at a time; false: another one does. Until the end of the transaction. */
export const lockIdentityDays: Query<void, { locked: boolean }, boolean> = {
  name: 'lock_identity_days',
  text: `select pg_try_advisory_xact_lock(hashtext('farthing.identity-days')) as locked`,
  values: () => [],
  decode: ({ locked }) => locked,
}
