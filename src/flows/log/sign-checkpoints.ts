import type pg from 'pg'
import { checkpointText } from '../../core/log/checkpoint.ts'
import { writeNote } from '../../core/log/signed-note.ts'
import { sameBytes } from '../../core/log/tree-hash.ts'
import {
  listLogKeys,
  listUnsignedCheckpoints,
  lockLog,
  type LogCheckpoint,
  type LogTree,
  updateCheckpointNote,
} from '../../store/log-trees.ts'
import { run, runOne } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { signersOf } from './admit-keys.ts'
import { findNewestTree, type LogIdentity } from './log-identity.ts'
import { readRoot } from './read-tiles.ts'
import { refuseSigning } from './refuse-signing.ts'
import type { SigningKey } from './signing-key.ts'

/** Checkpoints signed in one transaction. */
const SIGNED_TOGETHER = 100

/** What has become of the checkpoints that are not signed. */
export type Signed = { readonly signed: number } | { readonly refused: string }

/**
 * Sign checkpoints of the newest tree that are committed and not signed, the newest first. What was signed last is remembered beside the
 * key before a note is stored, so before anybody sees it. Killed in between, the next pass signs the same again: Ed25519 has
 * one signature of a text.
 */
export async function signCheckpoints(pool: pg.Pool, identity: LogIdentity): Promise<Signed> {
  return transaction(pool, async (client) => {
    const nothing = { signed: 0 }
    if (!(await runOne(client, lockLog, undefined))) return nothing
    const tree = await findNewestTree(client)
    if (!tree) return nothing
    const signers = signersOf(identity.keys, await run(client, listLogKeys, { tree: tree.tree }))
    if (signers.length === 0) return nothing
    const due = await run(client, listUnsignedCheckpoints, { tree: tree.tree, limit: SIGNED_TOGETHER })
    if (due.length === 0) return nothing
    const refused = await refuseSigning(client, tree, identity, signers)
    if (refused) return { refused }
    const notes = due.map((checkpoint) => ({ ...checkpoint, note: noteOf(tree, checkpoint, signers) }))
    for (const checkpoint of notes) {
      if (sameBytes(await readRoot(client, tree.tree, checkpoint.size), checkpoint.root)) continue
      return {
        refused: `The checkpoint of ${checkpoint.size} leaves has another root than the tree: see farthing verify.`,
      }
    }
    for (const key of signers) remember(key, notes[0]!)
    for (const checkpoint of notes) await run(client, updateCheckpointNote, checkpoint)
    return { signed: notes.length }
  })
}

function noteOf({ origin }: LogTree, { size, root }: LogCheckpoint, signers: readonly SigningKey[]): string {
  const text = checkpointText({ origin, size, root })
  return writeNote({ text, signatures: signers.map((key) => key.sign(origin, text)) })
}

/** Never a smaller one: it has signed more already, of the same tree, and was killed. */
function remember(key: SigningKey, { size, note }: LogCheckpoint & { readonly note: string }): void {
  const last = key.lastSigned()
  if (last === undefined || last.size < size) key.remember(note)
}
