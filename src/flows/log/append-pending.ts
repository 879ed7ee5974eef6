import type pg from 'pg'
import { deletePendingLeaves, listPendingLeaves } from '../../store/log-pending.ts'
import { findCheckpointAge, insertLogCheckpoint, lockLog, type LogTree } from '../../store/log-trees.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { admitKeys } from './admit-keys.ts'
import { appendLeaves, leavesOf } from './append-leaves.ts'
import { type LogIdentity, newestTree } from './log-identity.ts'
import { readRoot } from './read-tiles.ts'

/** Leaves of one transaction. */
export const APPENDED_LEAVES_MAX = 10_000
/** Between two checkpoints that no settled hour asks for. */
export const CHECKPOINT_EVERY_MS = 60_000

export interface Appended {
  readonly leaves: number
  /** Is nothing left that could be appended now? */
  readonly isDone: boolean
}

const NOTHING: Appended = { leaves: 0, isDone: true }

/**
 * Append what was issued and is committed, as far as one transaction takes it: places of leaves, tiles, checkpoints, and the
 * end of the rows that waited are one commit. One appender at a time, in any process. Killed at any line it leaves nothing
 * behind, and the next one continues; run twice it finds nothing to do.
 */
export async function appendPending(pool: pg.Pool, identity: LogIdentity): Promise<Appended> {
  return transaction(pool, async (client) => {
    if (!(await runOne(client, lockLog, undefined))) return NOTHING
    const tree = await newestTree(client, identity)
    if (!(await admitKeys(client, tree, identity))) return NOTHING
    const rows = await run(client, listPendingLeaves, { leavesMax: APPENDED_LEAVES_MAX })
    if (rows.length === 0) {
      await closeInTime(client, tree, undefined)
      return NOTHING
    }
    const sources = rows.flatMap(leavesOf)
    const { size, root } = await appendLeaves(client, tree, sources)
    await run(client, deletePendingLeaves, rows)
    await closeInTime(client, { ...tree, size }, root)
    return { leaves: sources.length, isDone: sources.length < APPENDED_LEAVES_MAX / 2 }
  })
}

/** A checkpoint of what no settled hour has closed, unless one was made within a minute. */
async function closeInTime(sql: Sql, { tree, size }: LogTree, root: Uint8Array | undefined): Promise<void> {
  const last = await runOne(sql, findCheckpointAge, { tree })
  if (last ? last.size === size || last.ageMs < CHECKPOINT_EVERY_MS : size === 0) return
  const is = root ?? (await readRoot(sql, tree, size))
  await run(sql, insertLogCheckpoint, { tree, size, root: Buffer.from(is), hour: null })
}
