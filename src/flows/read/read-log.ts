import { bundled } from '../../core/log/entry.ts'
import { consistencyProof, inclusionProof } from '../../core/log/proofs.ts'
import { writeKey } from '../../core/log/signed-note.ts'
import { checkpointText } from '../../core/log/checkpoint.ts'
import { consistencyRanges, inclusionRanges } from '../../core/log/subtrees.ts'
import { type TileRequest, TILE_WIDTH, tilesOfRanges } from '../../core/log/tiles.ts'
import { HASH_BYTES } from '../../core/log/tree-hash.ts'
import type { Hour } from '../../core/time/hour.ts'
import { findBillLeaf, listEntries, listSalts } from '../../store/log-leaves.ts'
import {
  findNewestCheckpoint,
  listLogKeys,
  listLogTiles,
  listLogTrees,
  type LogCheckpoint,
  type LogTree,
} from '../../store/log-trees.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { hashBytes } from '../log/hash-bytes.ts'
import { readTiles } from '../log/read-tiles.ts'
import { noteKeyOf } from '../log/signing-key.ts'

/** The newest checkpoint that a client may see: signed, unless the tree has none. */
export async function findServedCheckpoint(sql: Sql, { tree }: LogTree): Promise<LogCheckpoint | undefined> {
  return (
    (await runOne(sql, findNewestCheckpoint, { tree, signed: true })) ??
    (await runOne(sql, findNewestCheckpoint, { tree, signed: false }))
  )
}

/** A checkpoint as a note: without a signature, if it has none. */
export function noteOfCheckpoint({ origin }: LogTree, { size, root, note }: LogCheckpoint): string {
  return note ?? `${checkpointText({ origin, size, root })}\n`
}

/** The public keys that sign a tree, as notes name them: retired ones too, since they have signed. */
export async function listVerifierKeys(sql: Sql, { tree, origin }: LogTree): Promise<readonly string[]> {
  const keys = await run(sql, listLogKeys, { tree })
  return keys.map(({ publicKey }) => writeKey(noteKeyOf(origin, publicKey), hashBytes))
}

/** The bytes of a tile of hashes or entries; undefined: the served tree has no such tile, or not so much of it. */
export async function readTile(
  sql: Sql,
  tree: LogTree,
  { level, number, width }: TileRequest,
): Promise<Uint8Array | undefined> {
  if (level === 'entries') {
    const from = number * TILE_WIDTH
    if (from + width > tree.size) return undefined
    const entries = await run(sql, listEntries, { tree: tree.tree, from, to: from + width })
    return entries.length === width ? bundled(entries) : undefined
  }
  const [tile] = await run(sql, listLogTiles, { tree: tree.tree, names: [{ level, number }] })
  if (tile === undefined || tile.hashes.length < width * HASH_BYTES) return undefined
  return tile.hashes.subarray(0, width * HASH_BYTES)
}

/** What proves a bill to be in the log. */
export interface BillProof {
  readonly tree: LogTree
  readonly index: number
  readonly digest: Buffer
  readonly entry: Buffer
  readonly salt: Buffer
  readonly path: readonly Uint8Array[]
  /** The note of the checkpoint that the path leads to. */
  readonly checkpoint: string
  readonly isSigned: boolean
  readonly keys: readonly string[]
  /** From an earlier size of the tree; undefined: none was asked for, or the tree is another one. */
  readonly consistency: { readonly size: number; readonly path: readonly Uint8Array[] } | undefined
}

export interface FindBillProof {
  readonly account: string
  readonly hour: Hour
  /** Of a checkpoint that the asker has, which is of this origin: then the proof also shows that the tree extends it. */
  readonly since: number | undefined
}

/** The proof of a bill by the newest checkpoint; undefined: no checkpoint covers it yet. */
export async function findBillProof(
  sql: Sql,
  { account, hour, since }: FindBillProof,
): Promise<BillProof | undefined> {
  const leaf = await runOne(sql, findBillLeaf, { account, hour })
  if (leaf === undefined) return undefined
  const tree = (await runOne(sql, listLogTrees, { tree: leaf.tree }))!
  const checkpoint = await findServedCheckpoint(sql, tree)
  const [salt] = await run(sql, listSalts, [account])
  if (!checkpoint || checkpoint.size <= leaf.index || !salt) return undefined
  const { size } = checkpoint
  const from = since !== undefined && since <= size ? since : undefined
  const ranges = [...inclusionRanges(leaf.index, size), ...consistencyRanges(from ?? 0, size)]
  const tileOf = await readTiles(sql, tree.tree, tilesOfRanges(ranges))
  const { index, digest, entry } = leaf
  return {
    tree,
    index,
    digest,
    entry,
    salt: salt.salt,
    path: inclusionProof(index, size, tileOf, hashBytes),
    checkpoint: noteOfCheckpoint(tree, checkpoint),
    isSigned: checkpoint.note !== null,
    keys: await listVerifierKeys(sql, tree),
    consistency:
      from === undefined ? undefined : { size: from, path: consistencyProof(from, size, tileOf, hashBytes) },
  }
}

/** The log as anybody sees it who keeps a checkpoint. */
export interface LogView {
  readonly tree: LogTree
  readonly checkpoint: LogCheckpoint | undefined
  readonly keys: readonly string[]
  /** The trees before it, the newest first. */
  readonly before: readonly LogTree[]
}

/** Undefined: nothing was appended yet. */
export async function readLog(sql: Sql): Promise<LogView | undefined> {
  const [tree, ...before] = await run(sql, listLogTrees, { tree: null })
  if (!tree) return undefined
  const [checkpoint, keys] = [await findServedCheckpoint(sql, tree), await listVerifierKeys(sql, tree)]
  return { tree, checkpoint, keys, before }
}
