import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

/** What changed about closed accounts since a version. */
export interface ClosedChanges {
  /** The newest version. */
  readonly version: number
  /** `closedAt` is null where the account was opened again. */
  readonly accounts: readonly { readonly account: string; readonly closedAt: Instant | null }[]
}

interface Raw {
  version: number
  accounts: string[]
  closed: (string | null)[]
}

/** The closings and openings after a version (0: all), and the version that they lead to: one statement, one moment. */
export const readClosedAccounts: Query<{ readonly since: number }, Raw, ClosedChanges> = {
  name: 'read_closed_accounts',
  text: `
    select d.accounts_version as version, c.accounts, c.closed
      from deployment d
     cross join (
       select coalesce(array_agg(account), '{}') as accounts, coalesce(array_agg(closed_at::text), '{}') as closed
         from account_profile
        where closed_version > $1) c`,
  values: ({ since }) => [since],
  decode: ({ version, accounts, closed }) => ({
    version,
    accounts: accounts.map((account, index) => {
      const at = closed[index] ?? null
      return { account, closedAt: at === null ? null : (Number(at) as Instant) }
    }),
  }),
}
