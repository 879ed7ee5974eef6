import { type AuditRow, listAuditLogRows, type ListAuditLogRows } from '../../store/audit.ts'
import { run, type Sql } from '../../store/query.ts'
import { type Page, pageOf } from '../shared/page.ts'

export type { AuditRow } from '../../store/audit.ts'

/** What people and keys have done, newest first. */
export async function listAuditLog(sql: Sql, ask: ListAuditLogRows): Promise<Page<AuditRow, number>> {
  const entries = await run(sql, listAuditLogRows, { ...ask, limit: ask.limit + 1 })
  return pageOf(entries, ask.limit, ({ number }) => number)
}
