import type { Query } from '../query.ts'

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
 * alone: without one, nobody could make keys any more.
 * @returns a row if there is such a key
 */
export const revokeKey: Query<{ readonly id: string }, RevokedKey, RevokedKey> = {
  name: 'revoke_key',
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
