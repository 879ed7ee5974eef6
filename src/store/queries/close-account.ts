import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface CloseAccount {
  readonly account: string
  /** Null opens it again. */
  readonly closedAt: Instant | null
}

/** Close an account or open it, as the next version of all accounts. Only while holding the gate alone. */
export const closeAccount: Query<CloseAccount, never, void> = {
  name: 'close_account',
  text: `
    with raised as (
      update deployment set accounts_version = accounts_version + 1 returning accounts_version)
    update account_profile
       set closed_at = $2, closed_version = raised.accounts_version, levels_ended = 0,
           updated_at = clock_timestamp()
      from raised
     where account = $1`,
  values: ({ account, closedAt }) => [account, closedAt],
  decode: () => undefined,
}
