import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

/** A closed account some of whose levels may not count as 0 yet. */
export interface UnendedAccount {
  readonly account: string
  readonly closedAt: Instant
  /** Of this closing, and no other. */
  readonly closedVersion: number
}

/** Closed accounts whose levels were not ended under the newest price version: one of them, or the first few. */
export const findUnendedAccounts: Query<
  { readonly account: string | undefined; readonly limit: number },
  { account: string; closed_at: string; closed_version: number },
  UnendedAccount
> = {
  name: 'find_unended_accounts',
  text: `
    select account, closed_at, closed_version
      from account_profile
     where closed_at is not null and levels_ended < (select price_version from deployment)
       and ($2::text is null or account = $2)
     order by levels_ended, account
     limit $1`,
  values: ({ account, limit }) => [limit, account ?? null],
  decode: (raw) => ({
    account: raw.account,
    closedAt: Number(raw.closed_at) as Instant,
    closedVersion: raw.closed_version,
  }),
}
