import type { ListAssignment } from '../core/rate/rating/account-prices.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'
import type { Query } from './query.ts'

export interface InsertPriceList {
  readonly version: number
  readonly name: string
  /** The RFC 8785 form of the list. */
  readonly list: string
  /** The YAML as it was sent. */
  readonly source: string
  /** SHA-256 of `list`. */
  readonly digest: Buffer
}

/** Store a version of a price list: immutable from now on. */
export const insertPriceList: Query<InsertPriceList, never, void> = {
  name: 'insert_price_list',
  text: `insert into price_list (version, name, list, source, digest) values ($1, $2, $3, $4, $5)`,
  values: ({ version, name, list, source, digest }) => [version, name, list, source, digest],
  decode: () => undefined,
}

export interface KeptPriceList {
  readonly name: string
  /** The version that it was published with. */
  readonly version: number
  readonly publishedAt: Instant
  readonly publishedBy: string
  readonly list: string
  /** SHA-256 of `list` as it was when it was published, hexadecimal. */
  readonly digest: string
}

interface Raw extends Omit<KeptPriceList, 'publishedAt' | 'publishedBy'> {
  published_at: string
  published_by: string
}

/** The price lists of a version of the price book, by name; of the newest for null. */
export const listPriceLists: Query<{ readonly version: number | null }, Raw, KeptPriceList> = {
  name: 'list_price_lists',
  text: `
    select distinct on (l.name) l.name, l.version, l.list, encode(l.digest, 'hex') as digest,
           floor(extract(epoch from v.published_at) * 1000)::bigint as published_at, v.published_by
      from price_list l
      join price_version v on v.version = l.version
     where l.version <= $1 or $1::int is null
     order by l.name, l.version desc`,
  values: ({ version }) => [version],
  decode: ({ published_at, published_by, ...raw }) => ({
    ...raw,
    publishedAt: Number(published_at) as Instant,
    publishedBy: published_by,
  }),
}

export interface AccountList extends ListAssignment {
  readonly account: string
  readonly assignedAt: Instant
}

/** By which lists these accounts pay, from when on; in order. */
export const listAccountLists: Query<
  readonly string[],
  { account: string; from_hour: Hour; list: string | null; assigned_at: Date },
  AccountList
> = {
  name: 'list_account_lists',
  text: `
    select account, from_hour, list, assigned_at
      from account_price_list
     where account = any ($1)
     order by account, from_hour`,
  values: (accounts) => [accounts],
  decode: ({ account, from_hour, list, assigned_at }) => ({
    account,
    from: from_hour,
    list,
    assignedAt: assigned_at.getTime() as Instant,
  }),
}

export interface ReplaceAccountLists {
  readonly account: string
  readonly bucket: number
  /** Entries from this hour on are replaced: none of them has begun. */
  readonly from: Hour
  readonly lists: readonly ListAssignment[]
  readonly actor: string
}

/**
 * Take away what has not begun of an account's price lists, but for those that stay: they keep when they were assigned.
 * Only while holding the gate alone.
 */
export const deleteAccountLists: Query<Omit<ReplaceAccountLists, 'actor' | 'bucket'>, never, void> = {
  name: 'delete_account_lists',
  text: `
    delete from account_price_list a
     where account = $1 and from_hour >= $2
       and not exists (
             select from unnest($3::int[], $4::text[]) as k (from_hour, list)
              where k.from_hour = a.from_hour and k.list is not distinct from a.list)`,
  values: ({ account, from, lists }) => [
    account,
    from,
    lists.map((entry) => entry.from),
    lists.map(({ list }) => list),
  ],
  decode: () => undefined,
}

export const insertAccountLists: Query<ReplaceAccountLists, never, void> = {
  name: 'insert_account_lists',
  text: `
    insert into account_price_list (bucket, account, from_hour, list, assigned_by)
    select $1, $2, k.from_hour, k.list, $5
      from unnest($3::int[], $4::text[]) as k (from_hour, list)
        on conflict (account, from_hour, bucket) do nothing`,
  values: ({ bucket, account, lists, actor }) => [
    bucket,
    account,
    lists.map(({ from }) => from),
    lists.map(({ list }) => list),
    actor,
  ],
  decode: () => undefined,
}

/**
 * Does any event of an account count? Its hours are settled, open as backfill, or not settled yet: so only these are looked
 * at. A row if so.
 */
export const findAnyUsage: Query<
  { readonly account: string; readonly bucket: number; readonly settledUntil: Hour },
  { found: boolean },
  boolean
> = {
  name: 'find_any_usage',
  text: `
    select exists (select from account where account = $1 and bucket = $2 and last_step > 0)
        or exists (select from backfill_hour where account = $1 and bucket = $2)
        or exists (select from usage_event where hour >= $3 and bucket = $2 and account = $1)
        or exists (select from late_hour where account = $1 and bucket = $2) as found`,
  values: ({ account, bucket, settledUntil }) => [account, bucket, settledUntil],
  decode: ({ found }) => found,
}
