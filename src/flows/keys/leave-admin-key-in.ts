import type { Instant } from '../../core/time/instant.ts'
import { findKey } from '../../store/keys.ts'
import { type Sql, runOne } from '../../store/query.ts'
import { leaveAdminKey, replaceAdminKey } from './admin-key-file.ts'
import { keyHash } from './key-text.ts'
import { makeKey } from './make-key.ts'

export interface LeaveAdminKey {
  /** Where the command line of this machine finds it. */
  readonly dataDir: string
  /** Of the key, if one has to be made. */
  readonly name: string
  readonly now: Instant
}

/**
 * See to it that the admin key in a data directory opens a database that has come from elsewhere: the key that lies
 * there, unless the database has revoked it or lets it do less, or a new one.
 */
export async function leaveAdminKeyIn(sql: Sql, { dataDir, name, now }: LeaveAdminKey): Promise<void> {
  const request = { name, scopes: ['admin'], account: null, expiresAt: null } as const
  const key = leaveAdminKey(dataDir)
  await makeKey(sql, request, now, key)
  const found = await runOne(sql, findKey, { hash: keyHash(key) })
  if (found?.scopes.includes('admin') && found.account === null) return
  await makeKey(sql, request, now, replaceAdminKey(dataDir))
}
