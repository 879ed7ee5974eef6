import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const CHUNK_CHARACTERS = 65_536

/** One row in PostgreSQL's text format for COPY; null is \N. */
export function copyRow(fields: readonly (string | number | boolean | null)[]): string {
  let row = ''
  for (const [index, field] of fields.entries()) {
    if (index > 0) row += '\t'
    row += field === null ? '\\N' : typeof field === 'string' ? escaped(field) : String(field)
  }
  return `${row}\n`
}

function escaped(text: string): string {
  return /[\\\t\n\r]/.test(text) ? text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character]!) : text
}

/**
 * Send rows of `copyRow` into a table. All rows are in memory already, so the server never waits for anyone.
 * @param statement a constant `copy … from stdin`
 */
export async function copyIn(
  client: pg.PoolClient,
  statement: string,
  rows: readonly string[],
): Promise<void> {
  if (rows.length === 0) return
  const stream = client.query(copyFrom(statement))
  const done = once(stream, 'finish')
  let chunk = ''
  for (const row of rows) {
    chunk += row
    if (chunk.length < CHUNK_CHARACTERS) continue
    if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), done])
    chunk = ''
  }
  stream.end(chunk)
  await done
}
