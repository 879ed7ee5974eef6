import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface AddKey {
  readonly id: string
  readonly name: string
  /** SHA-256 of the key. */
  readonly hash: Buffer
  readonly scopes: readonly string[]
  readonly account: string | null
  readonly expiresAt: Instant | null
}

/** Store a new key. @returns when it was made; no row when the same key is there already */
export const addKey: Query<AddKey, { created_at: Date }, Instant> = {
  name: 'add_key',
  text: `
    insert into api_key (id, name, hash, scopes, account, expires_at)
    values ($1, $2, $3, $4, $5, to_timestamp($6::float8 / 1000))
    on conflict (hash) do nothing
    returning created_at`,
  values: ({ id, name, hash, scopes, account, expiresAt }) => [id, name, hash, scopes, account, expiresAt],
  decode: (raw) => raw.created_at.getTime() as Instant,
}
