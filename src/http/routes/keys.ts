import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant, type Instant, parseInstant } from '../../core/time/instant.ts'
import { SCOPES } from '../../flows/keys/key-scopes.ts'
import { newKeyText } from '../../flows/keys/key-text.ts'
import { makeKey } from '../../flows/keys/make-key.ts'
import { listKeys, removeKey } from '../../flows/keys/keys.ts'
import { transaction } from '../../store/transaction.ts'
import type { KeyRow } from '../../store/keys.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import { PAGE, PageParameters } from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { pageOf, route } from '../route.ts'
import { Nullable, NullableTime, Text, Time } from '../api/views.ts'

const ADMIN = { scope: 'admin', boundKeys: 'none' } as const

const NewKey = Type.Object(
  {
    name: Type.String({ description: 'What it is for' }),
    scopes: Type.Array(Type.Enum([...SCOPES]), { minItems: 1, maxItems: SCOPES.length }),
    account: Type.Optional(
      Type.Union([Type.String(), Type.Null()], { description: 'The only account of the key' }),
    ),
    expiresAt: Type.Optional(NullableTime),
  },
  { additionalProperties: false },
)

const newKey = Compile(NewKey)

const Shown = {
  id: Text,
  name: Text,
  scopes: Type.Array(Text),
  account: Nullable,
  createdAt: Time,
  expiresAt: NullableTime,
  revokedAt: NullableTime,
}

export const getKeys = route({
  method: 'GET',
  url: '/v1/keys',
  access: ADMIN,
  summary: 'Keys in the order in which they were made; never the keys themselves',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(Type.Object(Shown)) },
  async handle({ query }, { reading }) {
    const after = readCursor('keys', ['bigint', 'string'], query.cursor)
    const page = await listKeys(reading, after, query.limit ?? PAGE)
    return { items: page.items.map(keyView), next: writeCursor('keys', page.next) }
  },
})

export const postKey = route({
  method: 'POST',
  url: '/v1/keys',
  access: ADMIN,
  summary: 'Make a key. The answer has it, this once',
  body: { 'application/json': NewKey },
  answers: { 201: Type.Object({ ...Shown, key: Text }) },
  async handle({ body, key: by, reply }, { writing, now }) {
    const request = readNewKey(body)
    const made = await transaction(writing, (sql) => makeKey(sql, request, now(), newKeyText(), by!.id))
    if (!made.ok) throw new HttpProblem(made.code, made.detail)
    const { id, createdAt, key } = made
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({ ...keyView({ ...request, id, createdAt, revokedAt: null }), key })
  },
})

export const deleteKey = route({
  method: 'DELETE',
  url: '/v1/keys/:id',
  access: ADMIN,
  summary: 'Revoke a key, at once in this process and within seconds in others',
  params: Type.Object({ id: Text }),
  answers: { 204: Type.Null({ description: 'Revoked, now or before' }) },
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
  const at = parseInstant(text)
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
