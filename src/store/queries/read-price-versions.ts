import type { Query } from '../query.ts'

export interface KeptPriceVersion {
  readonly version: number
  readonly book: string
  /** SHA-256 of `book` as it was when it was published, hexadecimal. */
  readonly digest: string
}

/** Every published version, oldest first. */
export const readPriceVersions: Query<void, KeptPriceVersion, KeptPriceVersion> = {
  name: 'read_price_versions',
  text: `select version, book, encode(digest, 'hex') as digest from price_version order by version`,
  values: () => [],
  decode: (raw) => raw,
}
