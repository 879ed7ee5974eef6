import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { type AuditRow, listAuditLog } from '../../flows/read/list-audit-log.ts'
import { GetAuditLog } from '../../api/audit.ts'
import { PAGE } from '../../api/parameters.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readInstant } from '../api/parameters.ts'
import { route } from '../route.ts'

export const getAuditLog = route({
  ...GetAuditLog,
  access: { scope: 'admin', boundKeys: 'none' },
  async handle({ query }, { reading }) {
    const { act, actor, account, limit = PAGE } = query
    const [from, to] = [timeOf('from', query.from), timeOf('to', query.to)]
    const [before] = readCursor('audit log', ['serial'], query.cursor) ?? []
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
