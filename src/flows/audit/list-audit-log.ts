import { type AuditRow, readAuditLog, type ReadAuditLog } from '../../store/queries/read-audit-log.ts'
import { run, type Sql } from '../../store/query.ts'
import { type Page, pageOf } from '../read/page.ts'

export type { AuditRow } from '../../store/queries/read-audit-log.ts'

/** What people and keys have done, newest first. */
export async function listAuditLog(sql: Sql, ask: ReadAuditLog): Promise<Page<AuditRow, number>> {
  const entries = await run(sql, readAuditLog, { ...ask, limit: ask.limit + 1 })
  return pageOf(entries, ask.limit, ({ number }) => number)
}
