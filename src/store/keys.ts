import type { Instant } from '../core/time/instant.ts'
import type { Query } from './query.ts'

export interface InsertKey {
  readonly id: string
  readonly name: string
  /** SHA-256 of the key. */
  readonly hash: Buffer
  readonly scopes: readonly string[]
  readonly account: string | null
  readonly expiresAt: Instant | null
}

/** Store a new key. @returns when it was made; no row when the same key is there already */
export const insertKey: Query<InsertKey, { created_at: Date }, Instant> = {
  name: 'insert_key',
  text: `
    insert into api_key (id, name, hash, scopes, account, expires_at)
    values ($1, $2, $3, $4, $5, to_timestamp($6::float8 / 1000))
    on conflict (hash) do nothing
    returning created_at`,
  values: ({ id, name, hash, scopes, account, expiresAt }) => [id, name, hash, scopes, account, expiresAt],
  decode: (raw) => raw.created_at.getTime() as Instant,
}

export interface FoundKey {
  readonly id: string
  readonly scopes: readonly string[]
  readonly account: string | null
  /** Null: it does not expire. */
  readonly expires_in_ms: number | null
}

/** The key with this SHA-256, if it is valid now: neither expired nor revoked, by the database's clock. */
export const findKey: Query<{ readonly hash: Buffer }, FoundKey, FoundKey> = {
  name: 'find_key',
  text: `
    select id, scopes, account,
           (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as expires_in_ms
      from api_key
     where hash = $1 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`,
  values: ({ hash }) => [hash],
  decode: (raw) => raw,
}

export interface ListKeyRows {
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
export const listKeyRows: Query<ListKeyRows, RawKey, KeyRow> = {
  name: 'list_key_rows',
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

/**
 * A transaction that decides by the keys that there are decides alone, until the end of the transaction. Read in a later statement:
 * one that waits sees what was there before it waited.
 */
export const lockKeys: Query<void, never, void> = {
  name: 'lock_keys',
  text: `select pg_advisory_xact_lock(hashtext('farthing.keys'))`,
  values: () => [],
  decode: () => undefined,
}

/** What became of a key that was to be revoked. */
export interface RevokedKey {
  /** It is revoked now. */
  readonly revoked: boolean
  /** And was so before. */
  readonly before: boolean
  readonly name: string
  readonly account: string | null
}

/**
 * Make a key invalid for good; again, it changes nothing. The last valid admin key that does not expire is left
 * alone: without one, nobody could make keys any more. Only after `lockKeys`: of two at once, each would be the other's reason.
 * @returns a row if there is such a key
 */
export const updateRevokedKey: Query<{ readonly id: string }, RevokedKey, RevokedKey> = {
  name: 'update_revoked_key',
  text: `
    with allowed as (
      select id, name, account, revoked_at is not null as before,
             revoked_at is not null or not 'admin' = any (scopes) or exists (
               select from api_key other
                where other.id <> api_key.id and 'admin' = any (other.scopes)
                  and other.revoked_at is null and other.expires_at is null) as yes
        from api_key
       where id = $1),
    revoked as (
      update api_key set revoked_at = coalesce(revoked_at, clock_timestamp())
        from allowed
       where api_key.id = allowed.id and allowed.yes)
    select yes as revoked, before, name, account from allowed`,
  values: ({ id }) => [id],
  decode: (raw) => raw,
}
