import { Compile } from 'typebox/compile'
import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { parseTime } from '../../core/time/time-forms.ts'
import { SCOPES } from '../../flows/keys/key-scopes.ts'
import { newKeyText } from '../../flows/keys/key-text.ts'
import { makeKey } from '../../flows/keys/make-key.ts'
import { listKeys, removeKey } from '../../flows/keys/keys.ts'
import {
  type IdempotentRequest,
  keepAnswer,
  type RequestClaim,
} from '../../flows/shared/idempotent-requests.ts'
import { transaction } from '../../store/transaction.ts'
import type { Sql } from '../../store/query.ts'
import type { KeyRow } from '../../store/keys.ts'
import { DeleteKey, GetKeys, NewKey, PostKey } from '../../api/keys.ts'
import { PAGE } from '../../api/parameters.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import { HttpProblem } from '../api/problem.ts'
import { idempotentRequest, takeRequest } from '../idempotency.ts'
import { route } from '../route.ts'

const ADMIN = { scope: 'admin', boundKeys: 'none' } as const

const newKey = Compile(NewKey)

export const getKeys = route({
  ...GetKeys,
  access: ADMIN,
  async handle({ query }, { reading }) {
    const after = readCursor('keys', ['serial', 'text'], query.cursor)
    const page = await listKeys(reading, after, query.limit ?? PAGE)
    return { items: page.items.map(keyView), next: writeCursor('keys', page.next) }
  },
})

export const postKey = route({
  ...PostKey,
  access: ADMIN,
  findsRepeats: true,
  async handle({ body, key: by, request, reply }, { writing, now }) {
    const asked = readNewKey(body)
    const repeatable = idempotentRequest({ body, key: by, request })
    const made = await transaction(writing, async (sql) => {
      const claim = repeatable && (await claimNew(sql, repeatable))
      const made = await makeKey(sql, asked, now(), newKeyText(), by!.id)
      if (!made.ok) throw new HttpProblem(made.code, made.detail)
      // In the same transaction: a request that is repeated for ever makes one key.
      if (claim) await keepAnswer(sql, claim, { status: 201, text: made.id })
      return made
    })
    const { id, createdAt, key } = made
    void reply.code(201).header('cache-control', 'no-store')
    return { ...keyView({ ...asked, id, createdAt, revokedAt: null }), key }
  },
})

/** The key itself is stored nowhere, so it cannot be answered again: the repeat is told which one it was. */
async function claimNew(sql: Sql, repeatable: IdempotentRequest): Promise<RequestClaim> {
  const taken = await takeRequest(sql, repeatable)
  if (taken.state === 'new') return taken.claim
  const id = taken.answer.text
  const detail = `This request has made ${id} before, and its text is shown once: revoke it (DELETE /v1/keys/${id}), and make another with a new Idempotency-Key.`
  throw new HttpProblem('key/already_made', detail)
}

export const deleteKey = route({
  ...DeleteKey,
  access: ADMIN,
  async handle({ params, key, reply }, { writing, keys }) {
    const removed = await removeKey(writing, params.id, key!.id)
    keys.forget()
    if (removed.ok) return reply.code(204).send()
    throw new HttpProblem(removed.code, removed.detail)
  },
})

function keyView({ id, name, scopes, account, createdAt, expiresAt, revokedAt }: Omit<KeyRow, 'made'>) {
  return {
    id,
    name,
    scopes,
    account,
    createdAt: formatInstant(createdAt),
    expiresAt: expiresAt === null ? null : formatInstant(expiresAt),
    revokedAt: revokedAt === null ? null : formatInstant(revokedAt),
  }
}

function readNewKey(body: Buffer) {
  const value: Json = readJsonBody(body)
  if (!newKey.Check(value)) throw invalidBody(value)
  const { name, scopes, account = null, expiresAt = null } = value
  return { name, scopes: [...new Set(scopes)], account, expiresAt: readExpiry(expiresAt) }
}

function readExpiry(text: string | null): Instant | null {
  if (text === null) return null
  const at = parseTime(text)
  if (typeof at === 'number') return at
  const detail = 'expiresAt is not an RFC 3339 time: send one such as 2030-01-01T00:00:00Z.'
  throw new HttpProblem('request/invalid_body', detail)
}

/** `unknown` and `required` by name; the rest as the schema says it. */
function invalidBody(value: Json): HttpProblem {
  const errors = newKey.Errors(value)
  const unknown = errors.find(({ keyword }) => keyword === 'additionalProperties')
  const [first] = errors
  const place = (unknown ?? first)?.instancePath.slice(1).replaceAll('/', '.') || 'the body'
  const names = unknown ? (unknown.params as { additionalProperties: string[] }).additionalProperties : []
  const what = unknown ? `has members that are not known (${names.join(', ').slice(0, 80)})` : first?.message
  const detail = `${place} ${what}: send {"name","scopes":[…],"account"?,"expiresAt"?}; scopes are ${SCOPES.join(', ')}.`
  return new HttpProblem('request/invalid_body', detail)
}
