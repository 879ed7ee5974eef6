import type { Query } from '../query.ts'

export interface AddPriceVersion {
  readonly version: number
  /** Who published it: the id of a key, or what did it. */
  readonly publishedBy: string
  /** The RFC 8785 form of the whole rule set. */
  readonly book: string
  /** The YAML as it was sent. */
  readonly source: string
  /** SHA-256 of `book`. */
  readonly digest: Buffer
}

/** Store a version of the price book: immutable from now on. */
export const addPriceVersion: Query<AddPriceVersion, never, void> = {
  name: 'add_price_version',
  text: `insert into price_version (version, published_by, book, source, digest) values ($1, $2, $3, $4, $5)`,
  values: ({ version, publishedBy, book, source, digest }) => [version, publishedBy, book, source, digest],
  decode: () => undefined,
}
