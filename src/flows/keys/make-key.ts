import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { byteLength, refuseText } from '../../core/text/well-formed.ts'
import { ACCOUNT_BYTES_MAX } from '../../core/ingest/read-text.ts'
import { type Sql, run, runOne } from '../../store/query.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import { insertKey } from '../../store/keys.ts'
import { localActor } from '../shared/local-actor.ts'
import { DEPLOYMENT_SCOPES, type Scope } from './key-scopes.ts'
import { keyHash, newKeyText, randomLetters } from './key-text.ts'

export interface KeyRequest {
  /** What it is for: shown in lists. */
  readonly name: string
  readonly scopes: readonly Scope[]
  /** The only account that it can see and send for; null: all. */
  readonly account: string | null
  /** The first instant at which it is no longer valid; null: never. */
  readonly expiresAt: Instant | null
}

/** UTF-8 bytes of a key's name. */
export const KEY_NAME_BYTES_MAX = 255

export type KeyCode = 'key/invalid_name' | 'key/invalid_account' | 'key/scope_not_bindable' | 'key/expired'

export type MadeKey =
  | {
      readonly ok: true
      readonly id: string
      readonly createdAt: Instant
      /** The key itself: shown this once, stored nowhere. */
      readonly key: string
    }
  | { readonly ok: false; readonly code: KeyCode; readonly detail: string }

/**
 * Make a key, and note it in the audit log.
 * @param sql a transaction
 * @param now by which `expiresAt` must be later
 * @param key an existing text for it, as the first start has it; a new one otherwise
 * @param actor who makes it; a local command unless told
 */
export async function makeKey(
  sql: Sql,
  request: KeyRequest,
  now: Instant,
  key = newKeyText(),
  actor = localActor(),
): Promise<MadeKey> {
  const refused = refuseKey(request, now)
  if (refused) return refused
  const id = `key_${randomLetters(12)}`
  const createdAt = await runOne(sql, insertKey, { ...request, id, hash: keyHash(key) })
  // A key that is there already was made by a first start on this very database.
  if (createdAt !== undefined) {
    const { account } = request
    await run(sql, insertAuditEntry, { actor, act: 'key/make', account, detail: detailOf(id, request) })
  }
  return { ok: true, id, createdAt: createdAt ?? now, key }
}

/** `key_4x7k2m9qwb0c (collector): usage:write, until 2030-01-01T00:00:00.000Z`. Never the key itself. */
function detailOf(id: string, { name, scopes, expiresAt }: KeyRequest): string {
  const ends = expiresAt === null ? '' : `, until ${formatInstant(expiresAt)}`
  return `${id} (${name}): ${scopes.join(', ')}${ends}`
}

function refuseKey({ name, scopes, account, expiresAt }: KeyRequest, now: Instant): MadeKey | undefined {
  if (name.trim() === '' || byteLength(name) > KEY_NAME_BYTES_MAX || refuseText(name)) {
    const detail = `name is not 1 to ${KEY_NAME_BYTES_MAX} bytes of text: say what the key is for.`
    return { ok: false, code: 'key/invalid_name', detail }
  }
  if (
    account !== null &&
    (account === '' || byteLength(account) > ACCOUNT_BYTES_MAX || refuseText(account))
  ) {
    const detail = `account is not 1 to ${ACCOUNT_BYTES_MAX} bytes of text: send the subject of its events.`
    return { ok: false, code: 'key/invalid_account', detail }
  }
  const wide = account === null ? undefined : scopes.find((scope) => DEPLOYMENT_SCOPES.includes(scope))
  if (wide) {
    const detail = `The scope ${wide} acts on all accounts: leave it out, or leave the account out.`
    return { ok: false, code: 'key/scope_not_bindable', detail }
  }
  if (expiresAt !== null && expiresAt <= now) {
    return { ok: false, code: 'key/expired', detail: 'expiresAt is in the past: send a later time.' }
  }
  return undefined
}
