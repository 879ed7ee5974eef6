import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { SettledAccount } from './read-late-hours.ts'

export interface ReadActedAccounts {
  readonly cycle: Hour
  readonly buckets: readonly number[]
}

/** Accounts with releases or voids in a cycle: a range of an index each, mostly empty. */
export const readActedAccounts: Query<ReadActedAccounts, SettledAccount, SettledAccount> = {
  name: 'read_acted_accounts',
  text: `
    select bucket, account from released_event where cycle = $1 and bucket = any ($2)
    union
    select bucket, account from voided_event where cycle = $1 and bucket = any ($2)
    order by bucket, account`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: (raw) => raw,
}
