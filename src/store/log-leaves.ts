import type pg from 'pg'
import type { EntryType } from '../core/log/entry.ts'
import type { Hour } from '../core/time/hour.ts'
import { CopyRows } from './copy.ts'
import type { Query } from './query.ts'

const COPY_LEAVES = `copy log_leaf (tree, index, kind, account, hour, number, digest, entry) from stdin`

export interface LogLeaf {
  readonly tree: number
  readonly index: number
  readonly kind: EntryType
  /** '' for none. */
  readonly account: string
  readonly hour: Hour | null
  readonly number: number | null
  readonly digest: Buffer
  readonly entry: Buffer
}

/** Store leaves. A place that is taken fails the transaction: there is one leaf in each. */
export async function copyLeaves(client: pg.PoolClient, leaves: readonly LogLeaf[]): Promise<void> {
  const rows = new CopyRows()
  for (const { tree, index, kind, account, hour, number, digest, entry } of leaves)
    rows.add([
      tree,
      index,
      kind,
      account,
      hour,
      number,
      `\\x${digest.toString('hex')}`,
      `\\x${entry.toString('hex')}`,
    ])
  await rows.copyInto(client, COPY_LEAVES)
}

interface RawLeaf {
  tree: number
  index: string
  kind: EntryType
  account: string
  hour: Hour | null
  number: string | null
  digest: Buffer
  entry: Buffer
}

function decodeLeaf(raw: RawLeaf): LogLeaf {
  const number = raw.number === null ? null : Number(raw.number)
  return { ...raw, index: Number(raw.index), number }
}

export interface ListLeaves {
  readonly tree: number
  /** Indexes in [from, to). */
  readonly from: number
  readonly to: number
}

/** Leaves of a tree by index. */
export const listLeaves: Query<ListLeaves, RawLeaf, LogLeaf> = {
  name: 'list_leaves',
  text: `
    select tree, index, kind, account, hour, number, digest, entry
      from log_leaf
     where tree = $1 and index >= $2 and index < $3
     order by index`,
  values: ({ tree, from, to }) => [tree, from, to],
  decode: decodeLeaf,
}

/** The leaf of a bill, in the newest tree that has one. Uses the index log_leaf_bill. */
export const findBillLeaf: Query<{ readonly account: string; readonly hour: Hour }, RawLeaf, LogLeaf> = {
  name: 'find_bill_leaf',
  text: `
    select tree, index, kind, account, hour, number, digest, entry
      from log_leaf
     where kind = 1 and account = $1 and hour = $2
     order by tree desc
     limit 1`,
  values: ({ account, hour }) => [account, hour],
  decode: decodeLeaf,
}

/** The newest bill among the first leaves of a tree. Backwards along the primary key. */
export const findNewestBillLeaf: Query<{ readonly tree: number; readonly below: number }, RawLeaf, LogLeaf> =
  {
    name: 'find_newest_bill_leaf',
    text: `
    select tree, index, kind, account, hour, number, digest, entry
      from log_leaf
     where tree = $1 and index < $2 and kind = 1
     order by index desc
     limit 1`,
    values: ({ tree, below }) => [tree, below],
    decode: decodeLeaf,
  }

/** Entries of a tree by index: no more than a bundle has. */
export const listEntries: Query<ListLeaves, { entry: Buffer }, Buffer> = {
  name: 'list_entries',
  text: `select entry from log_leaf where tree = $1 and index >= $2 and index < $3 order by index`,
  values: ({ tree, from, to }) => [tree, from, to],
  decode: ({ entry }) => entry,
}

export interface LogSalt {
  /** '' is the deployment's own. */
  readonly account: string
  readonly salt: Buffer
}

/** The salts of some accounts. Those without a leaf have none. */
export const listSalts: Query<readonly string[], LogSalt, LogSalt> = {
  name: 'list_salts',
  text: `select account, salt from log_salt where account = any ($1::text[])`,
  values: (accounts) => [accounts],
  decode: (raw) => raw,
}

/** Once for each account. */
export const insertSalts: Query<readonly LogSalt[], never, void> = {
  name: 'insert_salts',
  text: `insert into log_salt (account, salt) select account, salt from unnest($1::text[], $2::bytea[]) as k (account, salt)`,
  values: (salts) => [salts.map(({ account }) => account), salts.map(({ salt }) => salt)],
  decode: () => undefined,
}
