import type { Query } from '../query.ts'

export interface AddAccountProfile {
  readonly account: string
  readonly bucket: number
}

/** Make an account known, with nothing said about it yet. @returns a row if it was not */
export const addAccountProfile: Query<AddAccountProfile, { account: string }, string> = {
  name: 'add_account_profile',
  text: `
    insert into account_profile (account, bucket) values ($1, $2)
        on conflict (account) do nothing
    returning account`,
  values: ({ account, bucket }) => [account, bucket],
  decode: ({ account }) => account,
}
