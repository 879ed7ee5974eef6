import type { Query } from '../query.ts'

export interface FoundKey {
  readonly id: string
  readonly scopes: readonly string[]
  readonly account: string | null
}

/** The key with this SHA-256, if it is valid now: neither expired nor revoked, by the database's clock. */
export const findKey: Query<{ readonly hash: Buffer }, FoundKey, FoundKey> = {
  name: 'find_key',
  text: `
    select id, scopes, account
      from api_key
     where hash = $1 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`,
  values: ({ hash }) => [hash],
  decode: (raw) => raw,
}
