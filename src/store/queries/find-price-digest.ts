import type { Query } from '../query.ts'

export interface PriceDigest {
  readonly version: number
  /** SHA-256 of the rule set, hexadecimal. */
  readonly digest: string
}

/** Which rule set a version has; the newest for null. Without its text, which is large. */
export const findPriceDigest: Query<{ readonly version: number | null }, PriceDigest, PriceDigest> = {
  name: 'find_price_digest',
  text: `
    select version, encode(digest, 'hex') as digest
      from price_version
     where version = $1 or $1::int is null
     order by version desc
     limit 1`,
  values: ({ version }) => [version],
  decode: (raw) => raw,
}
