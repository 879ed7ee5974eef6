import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { ENTRY, entryOf, SALT_BYTES } from '../../core/log/entry.ts'
import { edgeTiles, GrowingTree } from '../../core/log/grow-tree.ts'
import { HASH_BYTES, leafHash } from '../../core/log/tree-hash.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import { copyLeaves, insertSalts, listSalts, type LogLeaf } from '../../store/log-leaves.ts'
import { type PendingLeaves } from '../../store/log-pending.ts'
import { insertLogCheckpoint, type LogTree, updateLogSize, upsertLogTiles } from '../../store/log-trees.ts'
import { run, type Sql } from '../../store/query.ts'
import { hashBytes } from './hash-bytes.ts'
import { readTiles } from './read-tiles.ts'

type LeafSource = Pick<LogLeaf, 'kind' | 'account' | 'hour' | 'number' | 'digest'>

/**
 * Give leaves their places at the end of a tree, in the transaction that holds the log. Each summary of a settled hour closes
 * a checkpoint.
 * @returns the tree, as it is then, and its root
 */
export async function appendLeaves(
  client: pg.PoolClient,
  tree: LogTree,
  sources: readonly LeafSource[],
): Promise<{ readonly size: number; readonly root: Uint8Array }> {
  const growing = new GrowingTree(
    tree.size,
    await readTiles(client, tree.tree, edgeTiles(tree.size)),
    hashBytes,
  )
  const salts = await saltsOf(client, sources)
  const leaves: LogLeaf[] = []
  for (const source of sources) {
    const entry = Buffer.from(entryOf(source.kind, salts.get(source.account)!, source.digest, hashBytes))
    leaves.push({ ...source, tree: tree.tree, index: growing.size, entry })
    growing.append(leafHash(entry, hashBytes))
    if (source.kind !== ENTRY.settlementSummary) continue
    const root = Buffer.from(growing.root())
    await run(client, insertLogCheckpoint, { tree: tree.tree, size: growing.size, root, hour: source.hour })
  }
  await copyLeaves(client, leaves)
  await run(client, upsertLogTiles, { tree: tree.tree, tiles: growing.changed })
  await run(client, updateLogSize, { tree: tree.tree, size: growing.size })
  return { size: growing.size, root: growing.root() }
}

/** The leaves that a row stands for: by account, and each account's in their sequence. */
export function leavesOf({ kind, hour, accounts, numbers, digests }: PendingLeaves): readonly LeafSource[] {
  const leaves = accounts.map((account, at) => ({
    kind,
    account,
    hour,
    number: numbers[at]!,
    digest: digests.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  }))
  return leaves.sort(
    (one, other) => compareBytes(one.account, other.account) || (one.number ?? 0) - (other.number ?? 0),
  )
}

/** The salts of the accounts, made for those that have none. */
async function saltsOf(sql: Sql, sources: readonly LeafSource[]): Promise<ReadonlyMap<string, Buffer>> {
  const accounts = [...new Set(sources.map(({ account }) => account))]
  const salts = new Map((await run(sql, listSalts, accounts)).map(({ account, salt }) => [account, salt]))
  const missing = accounts.filter((account) => !salts.has(account))
  if (missing.length === 0) return salts
  const made = missing.map((account) => ({ account, salt: randomBytes(SALT_BYTES) }))
  await run(sql, insertSalts, made)
  for (const { account, salt } of made) salts.set(account, salt)
  return salts
}
