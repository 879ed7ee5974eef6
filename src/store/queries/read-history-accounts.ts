import type { Query } from '../query.ts'
import type { DueCycle } from './due-cycles.ts'
import type { SettledAccount } from './read-late-hours.ts'

export interface ReadHistoryAccounts extends DueCycle {
  readonly buckets: readonly number[]
}

/** The accounts whose history of an hour is sealed with a price version, in claimed buckets. */
export const readHistoryAccounts: Query<ReadHistoryAccounts, SettledAccount, SettledAccount> = {
  name: 'read_history_accounts',
  text: `
    select bucket, account
      from history_hour
     where hour = $1 and price_version = $2 and bucket = any ($3)
     order by bucket, account`,
  values: ({ hour, priceVersion, buckets }) => [hour, priceVersion, buckets],
  decode: (raw) => raw,
}
