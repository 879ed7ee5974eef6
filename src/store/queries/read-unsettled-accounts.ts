import type { Query } from '../query.ts'
import type { SettledAccount } from './read-late-hours.ts'
import type { ReadHour } from './read-hour-bills.ts'

/** Accounts whose events count in an hour, although it is not settled for them and not about to be. */
export const readUnsettledAccounts: Query<ReadHour, SettledAccount, SettledAccount> = {
  name: 'read_unsettled_accounts',
  text: `
    with facts as (
      select bucket, account from usage_event
       where hour = $1 and cycle = $1 and bucket = any ($2) and ($3::text is null or account = $3)
       union
      select bucket, account from late_hour
       where cycle = $1 and bucket = any ($2) and ($3::text is null or account = $3))
    select f.bucket, f.account
      from facts f
     where not exists (select from bill b
                        where b.hour = $1 and b.bucket = f.bucket and b.account = f.account)
       and not exists (select from settled_hour s
                        where s.hour = $1 and s.bucket = f.bucket and s.account = f.account)
       and not exists (select from history_hour h
                        where h.hour = $1 and h.bucket = f.bucket and h.account = f.account)
     order by f.bucket, f.account`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: (raw) => raw,
}
