import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { TablePart } from './backup.ts'

/** The rows of a table or partition in PostgreSQL's text format for COPY, in no order, as they come. */
export function copyOut(client: pg.PoolClient, part: TablePart): Readable {
  const rows = client.query(copyTo(`copy ${part.sqlName} (${columnList(part.columns)}) to stdout`))
  // A reader sees the error; a reader that stops in the middle has no use for it.
  return rows.on('error', () => {})
}

export interface CopyIn {
  /** Resolves when more can be sent; throws what the database has against the rows so far. */
  write(rows: Buffer): Promise<void>
  end(): Promise<void>
}

/**
 * Fill a table of Farthing with rows as `copyOut` gives them.
 * @param target the table as this database has it: its names are the catalogue's, never the backup's
 * @param columns some of the target's
 */
export function copyInto(client: pg.PoolClient, target: TablePart, columns: readonly string[]): CopyIn {
  const stream = client.query(copyFrom(`copy ${quoted(target.table)} (${columnList(columns)}) from stdin`))
  const failed = new Promise<never>((_, reject) => stream.once('error', reject))
  // Anyone who writes or ends next gets to know it.
  failed.catch(() => {})
  return {
    async write(rows) {
      if (!stream.write(rows)) await Promise.race([once(stream, 'drain'), failed])
    },
    async end() {
      const done = once(stream, 'finish')
      stream.end()
      await Promise.race([done, failed])
    },
  }
}

function columnList(columns: readonly string[]): string {
  return columns.map(quoted).join(', ')
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
