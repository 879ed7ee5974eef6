import { type AccountProfile, decodeProfile, type RawProfile } from '../account-profile.ts'
import type { Query } from '../query.ts'

export interface ReadAccounts {
  /** Only this one; undefined: all. */
  readonly account: string | undefined
  /** Accounts behind this one, by UTF-8 bytes; undefined: from the first. */
  readonly after: string | undefined
  readonly limit: number
}

type Nullable<Row> = { readonly [Name in keyof Row]: Row[Name] | null }

interface Raw extends Nullable<Omit<RawProfile, 'account'>> {
  readonly account: string
}

/** An account of the list: without a profile, if it was only billed so far. */
export interface ListedAccount {
  readonly account: string
  readonly profile: AccountProfile | undefined
}

/** Accounts that are known or were billed, by name: two range scans, merged. */
export const readAccounts: Query<ReadAccounts, Raw, ListedAccount> = {
  name: 'read_accounts',
  text: `
    with named as (
      (select account from account_profile
        where account > $2 and ($1::text is null or account = $1) order by account limit $3)
      union
      (select account from account
        where account > $2 and ($1::text is null or account = $1) and last_sequence > 0 order by account limit $3)
      order by account
      limit $3)
    select n.account, p.name, p.tags, p.time_zones, p.closed_at, p.created_at, p.updated_at
      from named n
      left join account_profile p on p.account = n.account
     order by n.account`,
  values: ({ account, after, limit }) => [account ?? null, after ?? '', limit],
  decode: (raw) => ({
    account: raw.account,
    profile: raw.tags === null ? undefined : decodeProfile(raw as RawProfile),
  }),
}
