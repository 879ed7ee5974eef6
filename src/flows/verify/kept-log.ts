import { readCheckpoint } from '../../core/log/checkpoint.ts'
import { sameBytes } from '../../core/log/tree-hash.ts'
import { billId } from '../../core/bill/bill-id.ts'
import { readNote } from '../../core/log/signed-note.ts'
import type { Hour } from '../../core/time/hour.ts'
import { findNewestBillLeaf } from '../../store/log-leaves.ts'
import { listLogTrees, type LogTree } from '../../store/log-trees.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { readRoot } from '../log/read-tiles.ts'
import type { KeptRoot } from './verify-log.ts'

/** A tree that continues another one. */
export interface ContinuedAs {
  readonly origin: string
  readonly reason: string
  /** Entries of the old tree that its last checkpoint covers. */
  readonly covered: number
}

/** What has become of a checkpoint that somebody has kept. */
export interface KeptLog {
  /** Undefined: there is no log of this name. */
  readonly tree: LogTree | undefined
  /** Of its entries, how many are known to be those of the log: all, or none. */
  readonly common: number
  /** The newest bill among its entries. */
  readonly newestBill: string | undefined
  /** The trees after it, the oldest first. */
  readonly continued: readonly ContinuedAs[]
}

export async function findKeptLog(sql: Sql, kept: KeptRoot): Promise<KeptLog> {
  const trees = (await run(sql, listLogTrees, { tree: null })).toReversed()
  const tree = trees.find(({ origin }) => origin === kept.origin)
  if (!tree) return { tree, common: 0, newestBill: undefined, continued: [] }
  const isPrefix = kept.size <= tree.size && sameBytes(await readRoot(sql, tree.tree, kept.size), kept.root)
  const bill = isPrefix
    ? await runOne(sql, findNewestBillLeaf, { tree: tree.tree, below: kept.size })
    : undefined
  return {
    tree,
    common: isPrefix ? kept.size : 0,
    newestBill: bill && billId(bill.account, bill.hour as Hour),
    continued: trees.filter((one) => one.tree > tree.tree && one.continues !== null).map(continuedAs),
  }
}

function continuedAs({ origin, continues }: LogTree): ContinuedAs {
  const { reason, checkpoint } = JSON.parse(continues!) as { reason: string; checkpoint: string | null }
  const text = checkpoint === null ? undefined : (readNote(checkpoint)?.text ?? checkpoint)
  return { origin, reason, covered: (text && readCheckpoint(text)?.size) || 0 }
}
