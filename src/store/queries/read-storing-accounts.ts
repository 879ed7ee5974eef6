import type { Query } from '../query.ts'
import type { SettledAccount } from './read-late-hours.ts'

/** The accounts of some buckets that ever stored something, as far as it is settled: a range of a primary key each. */
export const readStoringAccounts: Query<
  { readonly buckets: readonly number[] },
  SettledAccount,
  SettledAccount
> = {
  name: 'read_storing_accounts',
  text: `
    select distinct bucket, account
      from storage_series
     where bucket = any ($1)
     order by bucket, account`,
  values: ({ buckets }) => [buckets],
  decode: (raw) => raw,
}
