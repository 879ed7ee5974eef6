import { countPendingLeaves } from '../../store/log-pending.ts'
import {
  findCheckpointAge,
  findNewestCheckpoint,
  listLogKeys,
  type LogCheckpoint,
  type LogTree,
} from '../../store/log-trees.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { mayAppend, signersOf } from './admit-keys.ts'
import { findNewestTree, type LogIdentity } from './log-identity.ts'
import { refuseSigning } from './refuse-signing.ts'

/** How the log is doing, as this process sees it. */
export interface LogState {
  readonly tree: LogTree | undefined
  /** Leaves that have no place yet. */
  readonly pending: number
  /** The newest checkpoint, whether it is signed or not. */
  readonly newest: LogCheckpoint | undefined
  /** The newest one that is signed. */
  readonly signed: LogCheckpoint | undefined
  /** Since the newest checkpoint, by the database's clock; undefined: there is none. */
  readonly ageMs: number | undefined
  /** Why this process does not sign, or does not append: a sentence and what to do; undefined: it does, or nobody signs. */
  readonly trouble: string | undefined
  /** Has the tree a key? Without one it grows unsigned. */
  readonly hasKey: boolean
}

export async function readLogState(sql: Sql, identity: LogIdentity): Promise<LogState> {
  const tree = await findNewestTree(sql)
  const pending = (await runOne(sql, countPendingLeaves, undefined)) ?? 0
  const none = { newest: undefined, signed: undefined, ageMs: undefined, trouble: undefined, hasKey: false }
  if (!tree) return { tree, pending, ...none }
  const known = await run(sql, listLogKeys, tree)
  const age = await runOne(sql, findCheckpointAge, tree)
  return {
    tree,
    pending,
    newest: await runOne(sql, findNewestCheckpoint, { tree: tree.tree, signed: false }),
    signed: await runOne(sql, findNewestCheckpoint, { tree: tree.tree, signed: true }),
    ageMs: age?.ageMs,
    trouble: mayAppend(identity.keys, known)
      ? await refuseSigning(sql, tree, identity, signersOf(identity.keys, known))
      : 'This process has no key of the log: one that has it appends and signs. Set FARTHING_SIGNING_KEY to it.',
    hasKey: known.some(({ isRetired }) => !isRetired),
  }
}
