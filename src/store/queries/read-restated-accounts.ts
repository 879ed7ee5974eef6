import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { LateHour } from './read-late-hours.ts'

/** The accounts whose storage a cycle looks at again, and from which hour on. */
export const readRestatedAccounts: Query<
  { readonly cycle: Hour; readonly buckets: readonly number[] },
  LateHour,
  LateHour
> = {
  name: 'read_restated_accounts',
  text: `
    select bucket, account, from_hour as hour
      from restated_account
     where cycle = $1 and bucket = any ($2)`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: (raw) => raw,
}
