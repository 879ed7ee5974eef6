import type { Checkpoint } from '../../core/log/checkpoint.ts'
import { sameBytes } from '../../core/log/tree-hash.ts'
import { countOf } from '../../core/present/readable-text.ts'
import type { LogTree } from '../../store/log-trees.ts'
import type { Sql } from '../../store/query.ts'
import { baseOrigin, type LogIdentity } from './log-identity.ts'
import { readRoot } from './read-tiles.ts'
import { lastSignedPath, type SigningKey } from './signing-key.ts'

const CONTINUE = 'if the database was restored, run farthing log continue, else find out who has changed it'

/** Why a process that holds keys of a tree does not sign it: one sentence and what to do; undefined: it signs. */
export async function refuseSigning(
  sql: Sql,
  tree: LogTree,
  { origin }: LogIdentity,
  signers: readonly SigningKey[],
): Promise<string | undefined> {
  if (origin !== undefined && origin !== baseOrigin(tree) && origin !== tree.origin) {
    const fix = 'set it to the name that the log has, or run farthing log continue'
    return `The log is ${tree.origin}, and FARTHING_LOG_ORIGIN is ${origin}: ${fix}.`
  }
  for (const key of signers) {
    const last = readLast(key)
    if (typeof last === 'string') return last
    const refused = last && (await refuseAfter(sql, tree, last, key))
    if (refused) return refused
  }
  return undefined
}

function readLast(key: SigningKey): Checkpoint | undefined | string {
  try {
    return key.lastSigned()
  } catch {
    const place = lastSignedPath(key.path)
    return `What the key has signed last cannot be read from ${place}: bring the file back, or run farthing log continue.`
  }
}

/** Does the tree begin with what the key has signed last? */
async function refuseAfter(
  sql: Sql,
  tree: LogTree,
  last: Checkpoint,
  { path }: SigningKey,
): Promise<string | undefined> {
  if (last.origin !== tree.origin) {
    const what = `The log is ${tree.origin}, and the key ${path} has signed ${last.origin} last`
    return `${what}: ${CONTINUE}.`
  }
  if (last.size > tree.size) {
    const what = `The log has ${countOf(tree.size, 'entry')}, and the key ${path} has signed ${last.size}`
    return `${what}: ${CONTINUE}.`
  }
  if (sameBytes(await readRoot(sql, tree.tree, last.size), last.root)) return undefined
  const what = `The log does not begin with the ${countOf(last.size, 'entry')} that the key ${path} has signed last`
  return `${what}: ${CONTINUE}.`
}
