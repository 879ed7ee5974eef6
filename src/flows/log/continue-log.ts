import type pg from 'pg'
import { checkpointText } from '../../core/log/checkpoint.ts'
import { continuationText, ENTRY } from '../../core/log/entry.ts'
import { writeNote } from '../../core/log/signed-note.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import { listLeaves } from '../../store/log-leaves.ts'
import { insertPendingLeaves } from '../../store/log-pending.ts'
import {
  awaitLog,
  findNewestCheckpoint,
  insertLogCheckpoint,
  insertLogTree,
  listLogKeys,
  type LogTree,
} from '../../store/log-trees.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { sha256 } from '../shared/sha256.ts'
import { admitKeys } from './admit-keys.ts'
import { appendLeaves } from './append-leaves.ts'
import { baseOrigin, findNewestTree, type LogIdentity } from './log-identity.ts'
import { refuseSigning } from './refuse-signing.ts'
import type { SigningKey } from './signing-key.ts'

/** Bytes of a reason. */
export const CONTINUE_REASON_BYTES_MAX = 1_000
/** Leaves that are read at once. */
const READ_TOGETHER = 10_000

export interface ContinueLog {
  readonly identity: LogIdentity
  /** Why, for everybody who has a checkpoint of the log as it was. */
  readonly reason: string
  /** `cli:maria`. */
  readonly actor: string
  /** Also if the log extends what was signed: a restored database may be older than it looks. */
  readonly always: boolean
}

export type Continued =
  | { readonly ok: true; readonly origin: string; readonly before: string | undefined }
  | { readonly ok: false; readonly code: 'tlog/not_broken'; readonly detail: string }

/**
 * Begin the next tree of the log, whose first leaf names the last checkpoint of the one before and the reason. What that
 * checkpoint did not cover gets its leaves in the new tree, where they come first. The keys of this process forget what they
 * have signed of the old one. All or nothing, and in the audit log.
 */
export async function continueLog(pool: pg.Pool, asked: ContinueLog): Promise<Continued> {
  const { identity } = asked
  let begun: LogTree | undefined
  const done = await transaction(pool, async (client): Promise<Continued> => {
    await run(client, awaitLog, undefined)
    const old = await findNewestTree(client)
    // Nothing was ever appended: the first tree is made by the first appender.
    if (!old) return { ok: true, origin: '', before: undefined }
    if (!asked.always && !(await isBroken(client, old, identity))) {
      const what = `The log ${old.origin} extends what was signed last`
      return { ok: false, code: 'tlog/not_broken', detail: `${what}: there is nothing to continue.` }
    }
    // Begun elsewhere, or by a command that was killed: what is missing is that the keys here know it.
    const isBegun = !asked.always && old.continues !== null && (await isUnsigned(client, old))
    begun = isBegun ? old : await beginTree(client, old, asked)
    return { ok: true, origin: begun.origin, before: isBegun ? undefined : old.origin }
  })
  // After the commit: killed before it, they stand by the old tree, and the command can be given again.
  if (begun) for (const key of identity.keys) key.remember(beginning(key, begun))
  return done
}

async function isUnsigned(sql: Sql, { tree }: LogTree): Promise<boolean> {
  return (await runOne(sql, findNewestCheckpoint, { tree, signed: true })) === undefined
}

/** Without keys nobody knows what was signed: then a person does. */
async function isBroken(sql: Sql, tree: LogTree, identity: LogIdentity): Promise<boolean> {
  if (identity.keys.length === 0) return true
  return (await refuseSigning(sql, tree, identity, identity.keys)) !== undefined
}

async function beginTree(
  client: pg.PoolClient,
  old: LogTree,
  { identity, reason, actor }: ContinueLog,
): Promise<LogTree> {
  const last = await lastCheckpoint(client, old)
  const covered = last?.size ?? 0
  const number = old.tree + 1
  const origin = `${identity.origin ?? baseOrigin(old)}/${number}`
  const text = continuationText({
    origin: old.origin,
    checkpoint: last ? (last.note ?? checkpointText({ ...last, origin: old.origin })) : null,
    signed: signedOf(identity.keys, old, covered),
    reason,
  })
  await run(client, insertLogTree, { tree: number, origin, adopted: 0, continues: text })
  await keepUncovered(client, old, covered)
  const tree = (await findNewestTree(client))!
  const digest = Buffer.from(sha256(text), 'hex')
  const leaf = { kind: ENTRY.continuation, account: '', hour: null, number, digest }
  const { size, root } = await appendLeaves(client, tree, [leaf])
  await run(client, insertLogCheckpoint, { tree: number, size, root: Buffer.from(root), hour: null })
  const detail = `${origin} continues ${old.origin} after ${covered} leaves: ${reason}`
  await run(client, insertAuditEntry, { actor, act: 'log/continue', account: null, detail })
  await admitKeys(client, tree, identity)
  return tree
}

/** The last checkpoint that others may have: a signed one, unless the tree had no key. */
async function lastCheckpoint(sql: Sql, { tree }: LogTree) {
  const isSigned = (await run(sql, listLogKeys, { tree })).length > 0
  return runOne(sql, findNewestCheckpoint, { tree, signed: isSigned })
}

/** Leaves that no such checkpoint covers wait again, before all others and in their order. */
async function keepUncovered(sql: Sql, { tree, size }: LogTree, covered: number): Promise<void> {
  for (let from = covered; from < size; from += READ_TOGETHER) {
    const to = Math.min(from + READ_TOGETHER, size)
    for (const { index, kind, hour, account, number, digest } of await run(sql, listLeaves, {
      tree,
      from,
      to,
    })) {
      if (kind === ENTRY.continuation) continue
      const leaf = {
        chunk: index - size,
        kind,
        hour,
        accounts: [account],
        numbers: [number],
        digests: digest,
      }
      await run(sql, insertPendingLeaves, leaf)
    }
  }
}

/** What the keys have signed beyond the last checkpoint that is here: the text of the largest. */
function signedOf(keys: readonly SigningKey[], { origin }: LogTree, covered: number): string | null {
  let [text, most]: [string | null, number] = [null, covered]
  for (const key of keys) {
    const last = lastOf(key)
    if (last?.origin !== origin || last.size < most) continue
    text = checkpointText(last)
    most = last.size
  }
  return text
}

function lastOf(key: SigningKey) {
  try {
    return key.lastSigned()
  } catch {
    return undefined
  }
}

/** A signed checkpoint of the new tree without leaves: from it on the key signs no other. */
function beginning(key: SigningKey, { origin }: LogTree): string {
  const root = Buffer.from(sha256(''), 'hex')
  const text = checkpointText({ origin, size: 0, root })
  return writeNote({ text, signatures: [key.sign(origin, text)] })
}
