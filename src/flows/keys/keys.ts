import type pg from 'pg'
import { insertAuditEntry } from '../../store/audit.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { type KeyRow, listKeyRows, lockKeys, updateRevokedKey } from '../../store/keys.ts'
import { transaction } from '../../store/transaction.ts'
import { type Page, pageOf } from '../shared/page.ts'

/** When a key was made, in microseconds, and its id. */
export type KeyPosition = readonly [made: number, id: string]

/** Keys in the order in which they were made, the invalid ones too. */
export async function listKeys(
  sql: Sql,
  after: KeyPosition | undefined,
  limit: number,
): Promise<Page<KeyRow, KeyPosition>> {
  const keys = await run(sql, listKeyRows, {
    after: after && { made: after[0], id: after[1] },
    limit: limit + 1,
  })
  return pageOf(keys, limit, ({ made, id }) => [made, id])
}

export type RemovedKey =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'key/not_found' | 'key/last_admin'; readonly detail: string }

/**
 * Revoke a key for good, and note it in the audit log. Can be run twice.
 * @param actor who revokes it
 */
export async function removeKey(pool: pg.Pool, id: string, actor: string): Promise<RemovedKey> {
  return transaction(pool, async (sql) => {
    await run(sql, lockKeys, undefined)
    const key = await runOne(sql, updateRevokedKey, { id })
    if (!key) {
      return { ok: false, code: 'key/not_found', detail: 'There is no key with this id: see /v1/keys.' }
    }
    if (!key.revoked) {
      const detail = 'It is the last valid admin key that does not expire: make another one first.'
      return { ok: false, code: 'key/last_admin', detail }
    }
    if (!key.before) {
      const { account, name } = key
      await run(sql, insertAuditEntry, { actor, act: 'key/revoke', account, detail: `${id} (${name})` })
    }
    return { ok: true }
  })
}
