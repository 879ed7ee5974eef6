import Type from 'typebox'
import { SCOPES } from '../flows/keys/key-scopes.ts'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { PageParameters } from './parameters.ts'
import { Nullable, NullableTime, Text, Time } from './views.ts'

export const NewKey = Type.Object(
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

export const ShownKey = Type.Object({
  id: Text,
  name: Text,
  scopes: Type.Array(Text),
  account: Nullable,
  createdAt: Time,
  expiresAt: NullableTime,
  revokedAt: NullableTime,
})
export type ShownKey = ValueOf<typeof ShownKey>

export const GetKeys = endpoint({
  method: 'GET',
  url: '/v1/keys',
  tag: 'Keys',
  summary: 'Keys in the order in which they were made; never the keys themselves',
  description: 'Lists keys, also expired and revoked ones. The text of a key is never shown again.',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(ShownKey) },
})

export const PostKey = endpoint({
  method: 'POST',
  url: '/v1/keys',
  idempotent: true,
  tag: 'Keys',
  summary: 'Make a key. The answer has it, this once',
  description:
    'Makes a key. The answer has its text, this once: only its SHA-256 is kept. A key with `account` sees and sends nothing else.',
  body: { 'application/json': NewKey },
  answers: { 201: Type.Object({ ...ShownKey.properties, key: Text }) },
})

export const DeleteKey = endpoint({
  method: 'DELETE',
  url: '/v1/keys/:id',
  tag: 'Keys',
  summary: 'Revoke a key, at once in this process and within seconds in others',
  description:
    'Revokes a key for good. Revoking it again changes nothing. The last admin key that does not expire stays.',
  refusals: [409],
  params: Type.Object({ id: Text }),
  answers: { 204: Type.Null({ description: 'Revoked, now or before' }) },
})
