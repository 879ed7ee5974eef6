import type pg from 'pg'
import { insertAuditEntry } from '../../store/audit.ts'
import { lockKeys } from '../../store/keys.ts'
import { run } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { localActor } from '../shared/local-actor.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { adminKeyPath, replaceAdminKey } from './admin-key-file.ts'
import { makeKey } from './make-key.ts'

export interface RescuedKey {
  readonly id: string
  readonly key: string
  /** Where it was left for the command line of this machine. */
  readonly path: string
}

/**
 * Make a new admin key by access to the database itself, for people who have none that is valid. It is on disk before the
 * database knows it, so it cannot be lost between. Noted in the audit log.
 */
export async function rescueKey(pool: pg.Pool, dataDir: string): Promise<RescuedKey> {
  const key = replaceAdminKey(dataDir)
  return transaction(pool, async (sql) => {
    await run(sql, lockKeys, undefined)
    const { now } = await readWatermarks(sql)
    const actor = localActor()
    const request = { name: 'rescue', scopes: ['admin'], account: null, expiresAt: null } as const
    const made = await makeKey(sql, request, now, key, actor)
    if (!made.ok) throw new Error(made.detail)
    const detail = `${made.id}: an admin key made with access to the database`
    await run(sql, insertAuditEntry, { actor, act: 'key/rescue', account: null, detail })
    return { id: made.id, key, path: adminKeyPath(dataDir) }
  })
}
