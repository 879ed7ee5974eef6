import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface PriceVersion {
  readonly version: number
  readonly publishedAt: Instant
  /** The RFC 8785 form of the rule set. */
  readonly book: string
  /** SHA-256 of `book`, hexadecimal. */
  readonly digest: string
}

/** One published version, by its number; the newest for null. */
export const readPriceVersion: Query<
  { readonly version: number | null },
  { version: number; published_at: string; book: string; digest: string },
  PriceVersion
> = {
  name: 'read_price_version',
  text: `
    select version, floor(extract(epoch from published_at) * 1000)::bigint as published_at,
           book, encode(digest, 'hex') as digest
      from price_version
     where version = $1 or $1::int is null
     order by version desc
     limit 1`,
  values: ({ version }) => [version],
  decode: ({ version, published_at, book, digest }) => ({
    version,
    publishedAt: Number(published_at) as Instant,
    book,
    digest,
  }),
}
