import { type AccountProfile, decodeProfile, type RawProfile } from '../account-profile.ts'
import type { Query } from '../query.ts'

/** The profile of an account, which nobody else changes until the transaction ends. */
export const lockAccountProfile: Query<{ readonly account: string }, RawProfile, AccountProfile> = {
  name: 'lock_account_profile',
  text: `
    select account, name, tags, time_zones, closed_at, created_at, updated_at
      from account_profile
     where account = $1
       for update`,
  values: ({ account }) => [account],
  decode: decodeProfile,
}
