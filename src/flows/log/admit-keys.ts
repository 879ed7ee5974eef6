import { encodeBase64 } from '../../core/text/base64-bytes.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import {
  insertLogKeys,
  listLogKeys,
  type LogKey,
  type LogTree,
  retireLogKeys,
} from '../../store/log-trees.ts'
import { run, type Sql } from '../../store/query.ts'
import type { LogIdentity } from './log-identity.ts'
import type { SigningKey } from './signing-key.ts'

const ACTOR = 'log'

/** The keys of this process that sign a tree. */
export function signersOf(keys: readonly SigningKey[], known: readonly LogKey[]): readonly SigningKey[] {
  return keys.filter(({ publicKey }) =>
    known.some((key) => !key.isRetired && key.publicKey.equals(publicKey)),
  )
}

/** May a process append? A tree without a key grows unsigned; one with a key, by its holders alone. */
export function mayAppend(keys: readonly SigningKey[], known: readonly LogKey[]): boolean {
  return known.every(({ isRetired }) => isRetired) || signersOf(keys, known).length > 0
}

/**
 * Take in the keys of this process, in the transaction that holds the log. The first key of a tree is taken as it is; a
 * further one from a process that holds one that signs already: from then on both sign. A process that holds the newest key
 * and an older one no more ends the older one. Each is in the audit log.
 * @returns may this process append?
 */
export async function admitKeys(
  sql: Sql,
  { tree, origin }: LogTree,
  { keys }: LogIdentity,
): Promise<boolean> {
  const known = await run(sql, listLogKeys, { tree })
  if (!mayAppend(keys, known)) return false
  const fresh = keys.filter(({ publicKey }) => !known.some((key) => key.publicKey.equals(publicKey)))
  if (fresh.length > 0) {
    const publicKeys = fresh.map(({ publicKey }) => publicKey)
    await run(sql, insertLogKeys, { tree, publicKeys })
    await note(sql, `${origin}: signs from now on: ${textOf(publicKeys)}`)
  }
  const active = (await run(sql, listLogKeys, { tree })).filter(({ isRetired }) => !isRetired)
  const holds = ({ publicKey }: LogKey) => keys.some((key) => key.publicKey.equals(publicKey))
  const newest = active.at(-1)
  const older = active.slice(0, -1).filter((key) => !holds(key))
  if (newest && holds(newest) && older.length > 0) {
    const publicKeys = older.map(({ publicKey }) => publicKey)
    await run(sql, retireLogKeys, { tree, publicKeys })
    await note(sql, `${origin}: signs no more: ${textOf(publicKeys)}`)
  }
  return true
}

function textOf(publicKeys: readonly Buffer[]): string {
  return publicKeys.map(encodeBase64).join(', ')
}

function note(sql: Sql, detail: string): Promise<unknown> {
  return run(sql, insertAuditEntry, { actor: ACTOR, act: 'log/key', account: null, detail })
}
