import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { BACKED_UP } from '../../src/store/backed-up-tables.ts'
import { knownMigrations } from '../../src/store/migrate.ts'

export interface HandmadeSection {
  readonly head: Readonly<Record<string, unknown>>
  readonly rows: readonly string[]
}

/** A backup as docs/backup.md describes it, made apart from the code that writes them. */
export function handmade(sections: readonly HandmadeSection[], header: Record<string, unknown> = {}): string {
  const first = {
    farthingBackup: 1,
    farthing: '0.3.0',
    postgresql: '18',
    createdAt: '2026-01-01T00:00:00Z',
    migrations: knownMigrations(),
    deployment: {},
    ...header,
  }
  let text = `${JSON.stringify(first)}\n`
  const tables: Record<string, number> = Object.fromEntries(BACKED_UP.map(({ table }) => [table, 0]))
  for (const { head, rows } of sections) {
    const body = rows.map((row) => `${row}\n`).join('')
    text += `${JSON.stringify(head)}\n${body}\\.\n${JSON.stringify({ rows: rows.length, sha256: sha256(body) })}\n`
    const table = String(head['table'])
    tables[table] = (tables[table] ?? 0) + rows.length
  }
  const rows = Object.values(tables).reduce((sum, count) => sum + count, 0)
  text += `${JSON.stringify({ end: true, tables, rows })}\n`
  return `${text}${JSON.stringify({ sha256: sha256(text) })}\n`
}

export function packed(...backup: Parameters<typeof handmade>): Buffer {
  return gzipSync(handmade(...backup))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
