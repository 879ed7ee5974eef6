import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'

export interface InsertPriceVersion {
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
export const insertPriceVersion: Query<InsertPriceVersion, never, void> = {
  name: 'insert_price_version',
  text: `insert into price_version (version, published_by, book, source, digest) values ($1, $2, $3, $4, $5)`,
  values: ({ version, publishedBy, book, source, digest }) => [version, publishedBy, book, source, digest],
  decode: () => undefined,
}

/** The next version with the same book: for what else belongs to a version. */
export const copyPriceVersion: Query<Pick<InsertPriceVersion, 'version' | 'publishedBy'>, never, void> = {
  name: 'copy_price_version',
  text: `
    insert into price_version (version, published_by, book, source, digest)
    select $1, $2, book, source, digest from price_version where version = $1 - 1`,
  values: ({ version, publishedBy }) => [version, publishedBy],
  decode: () => undefined,
}

export interface PriceDigest {
  readonly version: number
  /** SHA-256 of the rule set, hexadecimal. */
  readonly digest: string
  /** The same of each price list of the version, in the order of their names. */
  readonly lists: string
}

/** Which rule set a version has; the newest for null. Without its text, which is large. */
export const findPriceDigest: Query<{ readonly version: number | null }, PriceDigest, PriceDigest> = {
  name: 'find_price_digest',
  text: `
    select v.version, encode(v.digest, 'hex') as digest,
           (select coalesce(string_agg(encode(l.digest, 'hex'), ',' order by l.name), '')
              from (select distinct on (name) name, digest
                      from price_list
                     where version <= v.version
                     order by name, version desc) l) as lists
      from price_version v
     where version = $1 or $1::int is null
     order by version desc
     limit 1`,
  values: ({ version }) => [version],
  decode: (raw) => raw,
}

export interface PriceVersionHead {
  readonly version: number
  readonly publishedAt: Instant
  /** The id of a key, or what did it. */
  readonly publishedBy: string
  /** SHA-256 of the rule set's RFC 8785 form, hexadecimal. */
  readonly digest: string
  /** The price list that was published with this version; null: the price book was. */
  readonly priceList: string | null
}

/** Published versions without their rules, newest first, below `before`; all for null. By the primary key. */
export const listPriceVersionHeads: Query<
  { readonly before: number | null; readonly limit: number },
  { version: number; published_at: string; published_by: string; digest: string; price_list: string | null },
  PriceVersionHead
> = {
  name: 'list_price_version_heads',
  text: `
    select version, floor(extract(epoch from published_at) * 1000)::bigint as published_at, published_by,
           encode(digest, 'hex') as digest,
           (select l.name from price_list l where l.version = v.version) as price_list
      from price_version v
     where version < $1 or $1::int is null
     order by version desc
     limit $2`,
  values: ({ before, limit }) => [before, limit],
  decode: (raw) => ({
    version: raw.version,
    publishedAt: Number(raw.published_at) as Instant,
    publishedBy: raw.published_by,
    digest: raw.digest,
    priceList: raw.price_list,
  }),
}

export interface PriceVersion {
  readonly version: number
  readonly publishedAt: Instant
  /** The RFC 8785 form of the rule set. */
  readonly book: string
  /** SHA-256 of `book`, hexadecimal. */
  readonly digest: string
}

/** One published version, by its number; the newest for null. */
export const findPriceVersionRow: Query<
  { readonly version: number | null },
  { version: number; published_at: string; book: string; digest: string },
  PriceVersion
> = {
  name: 'find_price_version_row',
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

export interface KeptPriceVersion {
  readonly version: number
  readonly book: string
  /** SHA-256 of `book` as it was when it was published, hexadecimal. */
  readonly digest: string
}

/** Every published version, oldest first. */
export const listPriceVersionRows: Query<void, KeptPriceVersion, KeptPriceVersion> = {
  name: 'list_price_version_rows',
  text: `select version, book, encode(digest, 'hex') as digest from price_version order by version`,
  values: () => [],
  decode: (raw) => raw,
}
