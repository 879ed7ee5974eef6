import type { Instant } from '../../core/time/instant.ts'
import { type Profile, tagsText, zonesText } from '../account-profile.ts'
import type { Query } from '../query.ts'

export interface SaveAccountProfile extends Profile {
  readonly account: string
}

/** Replace what is said about an account, but for its closing. @returns when */
export const saveAccountProfile: Query<SaveAccountProfile, { updated_at: Date }, Instant> = {
  name: 'save_account_profile',
  text: `
    update account_profile
       set name = $2, tags = $3, time_zones = $4, updated_at = clock_timestamp()
     where account = $1
    returning updated_at`,
  values: ({ account, name, tags, timeZones }) => [account, name, tagsText(tags), zonesText(timeZones)],
  decode: ({ updated_at }) => updated_at.getTime() as Instant,
}
