import Type from 'typebox'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { type AuditRow, listAuditLog } from '../../flows/read/list-audit-log.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { optionalText, optionalTime, PAGE, PageParameters, readInstant } from '../api/parameters.ts'
import { pageOf, route } from '../route.ts'
import { Nullable, Text, Time } from '../api/views.ts'

const Entry = Type.Object({
  number: Type.Integer({ description: 'In the order in which they were done' }),
  at: Time,
  actor: Type.String({ description: 'The id of a key, or cli: and a user of the machine' }),
  act: Text,
  account: Nullable,
  detail: Text,
})

export const getAuditLog = route({
  method: 'GET',
  url: '/v1/audit-log',
  access: { scope: 'admin', boundKeys: 'none' },
  summary: 'What people and keys have done that changes bills, or who may do what, newest first',
  query: Type.Object({
    act: optionalText('Only this act, such as key/make'),
    actor: optionalText('Only what this key or user has done'),
    account: optionalText('Only what concerns this account alone'),
    from: optionalTime('Only what was done at this time or later'),
    to: optionalTime('Only what was done before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(Entry) },
  async handle({ query }, { reading }) {
    const { act, actor, account, limit = PAGE } = query
    const [from, to] = [timeOf('from', query.from), timeOf('to', query.to)]
    const [before] = readCursor('audit log', ['bigint'], query.cursor) ?? []
    const page = await listAuditLog(reading, { act, actor, account, from, to, before, limit })
    const next = writeCursor('audit log', page.next === null ? null : [page.next])
    return { items: page.items.map(entryView), next }
  },
})

function timeOf(name: string, text: string | undefined): Instant | undefined {
  return text === undefined ? undefined : readInstant(name, text)
}

function entryView({ number, at, actor, act, account, detail }: AuditRow) {
  return { number, at: formatInstant(at), actor, act, account, detail }
}
