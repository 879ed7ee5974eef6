import Type from 'typebox'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { optionalText, optionalTime, PageParameters } from './parameters.ts'
import { Nullable, Text, Time } from './views.ts'

export const AuditEntry = Type.Object({
  number: Type.Integer({ description: 'In the order in which they were done' }),
  at: Time,
  actor: Type.String({ description: 'The id of a key, or cli: and a user of the machine' }),
  act: Text,
  account: Nullable,
  detail: Text,
})
export type AuditEntry = ValueOf<typeof AuditEntry>

export const GetAuditLog = endpoint({
  method: 'GET',
  url: '/v1/audit-log',
  tag: 'Audit log',
  summary: 'What people and keys have done that changes bills, or who may do what, newest first',
  description: 'Lists what people and keys have done that changes bills, or who may do what.',
  query: Type.Object({
    act: optionalText('Only this act, such as key/make'),
    actor: optionalText('Only what this key or user has done'),
    account: optionalText('Only what concerns this account alone'),
    from: optionalTime('Only what was done at this time or later'),
    to: optionalTime('Only what was done before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(AuditEntry) },
})
