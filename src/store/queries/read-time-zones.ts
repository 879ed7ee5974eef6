import type { ZoneHistory } from '../../core/time/zone-history.ts'
import { readZones } from '../account-profile.ts'
import type { Query } from '../query.ts'

export interface AccountZones {
  readonly account: string
  readonly timeZones: ZoneHistory
}

/** The time zones of those of some accounts that have named any. */
export const readTimeZones: Query<readonly string[], { account: string; time_zones: string }, AccountZones> =
  {
    name: 'read_time_zones',
    text: `select account, time_zones from account_profile where account = any ($1) and time_zones <> '[]'`,
    values: (accounts) => [accounts],
    decode: ({ account, time_zones }) => ({ account, timeZones: readZones(time_zones) }),
  }
