import type { Query } from '../query.ts'

/** Which of these accounts are known: have a profile. One probe of the primary key each. */
export const findKnownAccounts: Query<readonly string[], { account: string }, string> = {
  name: 'find_known_accounts',
  text: `select account from account_profile where account = any ($1)`,
  values: (accounts) => [accounts],
  decode: ({ account }) => account,
}
