import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadKeys {
  /** The last key of the page before: made at (microseconds), and id. */
  readonly after: { readonly made: number; readonly id: string } | undefined
  readonly limit: number
}

export interface KeyRow {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly account: string | null
  readonly createdAt: Instant
  readonly expiresAt: Instant | null
  readonly revokedAt: Instant | null
  /** `createdAt` in microseconds: the order of the list. */
  readonly made: number
}

interface RawKey {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly account: string | null
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
  readonly made: string
}

/** Keys in the order in which they were made, expired and revoked ones too. There are few: no index. */
export const readKeys: Query<ReadKeys, RawKey, KeyRow> = {
  name: 'read_keys',
  text: `
    select id, name, scopes, account, created_at, expires_at, revoked_at, made
      from api_key, lateral (select floor(extract(epoch from created_at) * 1000000)::bigint as made) as m
     where (made, id) > ($1, $2)
     order by made, id
     limit $3`,
  values: ({ after, limit }) => [after?.made ?? 0, after?.id ?? '', limit],
  decode: (raw) => ({
    id: raw.id,
    name: raw.name,
    scopes: raw.scopes,
    account: raw.account,
    createdAt: raw.created_at.getTime() as Instant,
    expiresAt: (raw.expires_at?.getTime() ?? null) as Instant | null,
    revokedAt: (raw.revoked_at?.getTime() ?? null) as Instant | null,
    made: Number(raw.made),
  }),
}
