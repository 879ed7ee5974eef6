import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface PriceVersionHead {
  readonly version: number
  readonly publishedAt: Instant
  /** The id of a key, or what did it. */
  readonly publishedBy: string
  /** SHA-256 of the rule set's RFC 8785 form, hexadecimal. */
  readonly digest: string
}

/** Published versions without their rules, newest first, below `before`; all for null. By the primary key. */
export const readPriceVersionHeads: Query<
  { readonly before: number | null; readonly limit: number },
  { version: number; published_at: string; published_by: string; digest: string },
  PriceVersionHead
> = {
  name: 'read_price_version_heads',
  text: `
    select version, floor(extract(epoch from published_at) * 1000)::bigint as published_at, published_by,
           encode(digest, 'hex') as digest
      from price_version
     where version < $1 or $1::int is null
     order by version desc
     limit $2`,
  values: ({ before, limit }) => [before, limit],
  decode: (raw) => ({
    version: raw.version,
    publishedAt: Number(raw.published_at) as Instant,
    publishedBy: raw.published_by,
    digest: raw.digest,
  }),
}
