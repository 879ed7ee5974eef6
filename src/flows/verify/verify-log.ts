import { checkpointText } from '../../core/log/checkpoint.ts'
import { ENTRY, entryOf, summaryText } from '../../core/log/entry.ts'
import { GrowingTree } from '../../core/log/grow-tree.ts'
import { readNote } from '../../core/log/signed-note.ts'
import { leafHash, sameBytes } from '../../core/log/tree-hash.ts'
import { billId } from '../../core/bill/bill-id.ts'
import { countOf } from '../../core/present/readable-text.ts'
import { formatHour, type Hour } from '../../core/time/hour.ts'
import {
  type LeafOfFact,
  listCheckpointRoots,
  listFactsWithoutLeaf,
  listHoursOfChunk,
  listHoursWithoutSummary,
  listLeavesOfFacts,
} from '../../store/log-facts.ts'
import { listLogTiles, listLogTrees, type LogTree } from '../../store/log-trees.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { findSettledSums } from '../../store/settlement-summaries.ts'
import { hashBytes } from '../log/hash-bytes.ts'
import { digestOfHours } from '../settle/issued-leaves.ts'
import { sha256 } from '../shared/sha256.ts'
import type { Difference } from './compare-bill.ts'

/** Leaves that are read at once. */
const READ_TOGETHER = 5_000
/** Facts without a leaf that are named. */
const NAMED = 1_000

type StoredRoot = ReturnType<typeof listCheckpointRoots.decode>

/** A root that somebody else has, of some size of a tree. */
export interface KeptRoot {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/**
 * Hold the log against what was issued: each leaf against its fact, entries against salts, tiles and checkpoints against
 * leaves, and everything that was issued against the leaves there are.
 * @param kept a checkpoint from outside, whose root is held against the leaves too
 */
export async function* verifyLog(sql: Sql, kept?: KeptRoot): AsyncGenerator<Difference> {
  // Checkpoints first: where this is no snapshot, an appender goes on, and no checkpoint must be beyond its tree.
  const roots = new Map<number, readonly StoredRoot[]>()
  for (const { tree } of await run(sql, listLogTrees, { tree: null }))
    roots.set(tree, await run(sql, listCheckpointRoots, { tree }))
  const trees = await run(sql, listLogTrees, { tree: null })
  for (const tree of trees.toReversed())
    yield* verifyTree(sql, tree, roots.get(tree.tree) ?? [], keptOf(tree, tree === trees[0], kept))
  if (trees.length === 0) return
  for (const what of await run(sql, listFactsWithoutLeaf, { limit: NAMED }))
    yield { place: what, detail: 'has no entry in the log, and none waits for it' }
  for (const hour of await run(sql, listHoursWithoutSummary, undefined))
    yield { place: `hour ${formatHour(hour)}`, detail: 'is settled and has no summary' }
}

/** A tree that was continued has lost what its key had signed since: that is told apart, and is no difference. */
function keptOf({ origin, size }: LogTree, isNewest: boolean, kept: KeptRoot | undefined) {
  return kept?.origin === origin && (isNewest || kept.size <= size) ? kept : undefined
}

async function* verifyTree(
  sql: Sql,
  tree: LogTree,
  stored: readonly StoredRoot[],
  kept: KeptRoot | undefined,
): AsyncGenerator<Difference> {
  const { origin, size } = tree
  const growing = new GrowingTree(0, () => undefined, hashBytes)
  const roots = stored.map((one) => ({ ...one, isKept: false }))
  const due = [...roots, ...(kept ? [{ ...kept, note: null, isKept: true }] : [])].sort(
    (one, other) => one.size - other.size,
  )
  function* compareRoots(): Generator<Difference> {
    for (; due[0] && due[0].size <= growing.size; due.shift()) {
      const { size: at, root, note, isKept } = due[0]
      if (at < growing.size) continue
      if (!sameBytes(root, growing.root())) yield rootDifference(tree, at, isKept)
      const text = note === null ? undefined : readNote(note)?.text
      if (note !== null && text !== checkpointText({ origin, size: at, root }))
        yield { place: `log ${origin}, checkpoint of ${at}`, detail: 'its note says another size or root' }
    }
  }
  yield* compareRoots()
  for (let from = 0; from < size; from += READ_TOGETHER) {
    const leaves = await run(sql, listLeavesOfFacts, {
      tree: tree.tree,
      from,
      to: Math.min(from + READ_TOGETHER, size),
    })
    for (const leaf of leaves) {
      if (leaf.index !== growing.size) {
        yield { place: `log ${origin}, entry ${growing.size}`, detail: 'is missing' }
        return
      }
      yield* await verifyLeaf(sql, tree, leaf)
      growing.append(leafHash(leaf.entry, hashBytes))
      yield* compareRoots()
    }
    yield* await verifyTiles(sql, tree, growing)
    growing.forgetChanged()
  }
  if (growing.size !== size)
    yield {
      place: `log ${origin}`,
      detail: `has ${countOf(growing.size, 'entry')}, and should have ${size}`,
    }
  for (const { size: at, isKept } of due)
    yield {
      place: `log ${origin}, ${isKept ? 'your checkpoint' : 'checkpoint'} of ${at}`,
      detail: `the log has ${countOf(growing.size, 'entry')}: the newest were cut off`,
    }
}

function rootDifference({ origin }: LogTree, size: number, isKept: boolean): Difference {
  const place = `log ${origin}, ${isKept ? 'your checkpoint' : 'checkpoint'} of ${size}`
  return { place, detail: 'the entries before it have another root: the log was rewritten' }
}

async function verifyLeaf(sql: Sql, tree: LogTree, leaf: LeafOfFact): Promise<readonly Difference[]> {
  const place = placeOf(tree, leaf)
  const salted = leaf.salt && entryOf(leaf.kind, leaf.salt, leaf.digest, hashBytes)
  if (!salted) return [{ place, detail: 'its salt is missing' }]
  const found: Difference[] = []
  if (!sameBytes(salted, leaf.entry)) found.push({ place, detail: 'its entry is not that of its digest' })
  const is = await factOf(sql, leaf)
  if (is === null) found.push({ place, detail: 'is in the log, and is not there any more' })
  else if (!sameBytes(is, leaf.digest))
    found.push({
      place,
      detail: `has the digest ${Buffer.from(is).toString('hex')}, and was logged with ${leaf.digest.toString('hex')}`,
    })
  if (leaf.kind === ENTRY.settlementSummary && leaf.factText !== null) {
    const sums = summaryText((await runOne(sql, findSettledSums, { hour: leaf.hour! }))!)
    if (sums !== leaf.factText)
      found.push({ place, detail: `the bills of the hour come to ${sums}, and it says ${leaf.factText}` })
  }
  return found
}

/** What the fact of a leaf says now; null: it is gone. */
async function factOf(sql: Sql, leaf: LeafOfFact): Promise<Uint8Array | null> {
  const { kind, hour, number, factDigest, factText } = leaf
  if (factText !== null) return Buffer.from(sha256(factText), 'hex')
  if (kind !== ENTRY.hoursWithoutBill) return factDigest
  const hours = await run(sql, listHoursOfChunk, { hour: hour!, chunk: number })
  return hours.length === 0 ? null : Buffer.from(digestOfHours(hours), 'hex')
}

function placeOf({ origin }: LogTree, { kind, index, account, hour, number }: LeafOfFact): string {
  const at = `entry ${index} of the log ${origin}`
  const hourText = () => formatHour(hour as Hour)
  if (kind === ENTRY.bill) return `bill ${billId(account, hour as Hour)} (${at})`
  if (kind === ENTRY.hoursWithoutBill) return `hours without a bill of ${hourText()} (${at})`
  if (kind === ENTRY.priceVersion) return `price version ${number} (${at})`
  if (kind === ENTRY.auditEntry) return `audit entry ${number} (${at})`
  if (kind === ENTRY.settlementSummary) return `summary of ${hourText()} (${at})`
  return at
}

/** Tiles that the leaves so far have filled, or have begun at the end. */
async function verifyTiles(sql: Sql, tree: LogTree, growing: GrowingTree): Promise<readonly Difference[]> {
  const { tree: number, origin } = tree
  const wanted = growing.changed
  const stored = new Map(
    (await run(sql, listLogTiles, { tree: number, names: wanted })).map((tile) => [
      `${tile.level}/${tile.number}`,
      tile.hashes,
    ]),
  )
  return wanted.flatMap(({ level, number: at, hashes }) => {
    const is = stored.get(`${level}/${at}`)
    const same = is && sameBytes(is.subarray(0, hashes.length), hashes)
    return same ? [] : [{ place: `log ${origin}, tile ${level}/${at}`, detail: 'is not that of the entries' }]
  })
}
