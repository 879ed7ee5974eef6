import type { Query } from '../query.ts'
import type { SettledAccount } from './read-late-hours.ts'

export interface AccountState extends SettledAccount {
  readonly step: number
  readonly sequence: number
  /** Of the newest bill, hexadecimal; null before the first. */
  readonly digest: string | null
}

interface Raw {
  bucket: number
  account: string
  last_step: string
  last_sequence: string
  digest: string | null
}

/** How far settlement has come with these accounts. Those it does not know have no row. */
export const readAccountStates: Query<readonly SettledAccount[], Raw, AccountState> = {
  name: 'read_account_states',
  text: `
    select a.bucket, a.account, a.last_step, a.last_sequence, encode(a.last_digest, 'hex') as digest
      from unnest($1::smallint[], $2::text[]) as k (bucket, account)
      join account a on a.bucket = k.bucket and a.account = k.account`,
  values: (accounts) => [accounts.map(({ bucket }) => bucket), accounts.map(({ account }) => account)],
  decode: (raw) => ({
    bucket: raw.bucket,
    account: raw.account,
    step: Number(raw.last_step),
    sequence: Number(raw.last_sequence),
    digest: raw.digest,
  }),
}
