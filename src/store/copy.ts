import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Sql } from './query.ts'
import { isPool } from './transaction.ts'

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const CHUNK_BYTES = 65_536
/** At most, of a UTF-16 unit. */
const UTF8_BYTES_A_UNIT = 3

export type CopyFields = readonly (string | number | boolean | null)[]

/** One row in PostgreSQL's text format for COPY; null is \N. */
export function copyRow(fields: CopyFields): string {
  let row = ''
  for (let index = 0; index < fields.length; index++) {
    if (index > 0) row += '\t'
    const field = fields[index]!
    row += typeof field === 'string' ? escaped(field) : field === null ? '\\N' : String(field)
  }
  return `${row}\n`
}

const ESCAPED = /[\\\t\n\r]/

function escaped(text: string): string {
  return ESCAPED.test(text) ? text.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character]!) : text
}

/**
 * Rows on their way into a table, as bytes: as texts they would be moved about by the garbage collector until they are
 * sent, which cost settlement half of its time. In chunks of a size: for one large piece, memory would be fetched from
 * the system and given back each time.
 */
export class CopyRows {
  readonly #chunks: Buffer[] = []
  #last = Buffer.alloc(0)
  /** Bytes of the last chunk that are used. */
  #length = 0

  add(fields: CopyFields): void {
    const row = copyRow(fields)
    const most = row.length * UTF8_BYTES_A_UNIT
    if (this.#length + most > this.#last.length) this.#startChunk(most)
    this.#length += this.#last.write(row, this.#length)
  }

  #startChunk(bytes: number): void {
    this.#endChunk()
    this.#last = Buffer.allocUnsafe(Math.max(bytes, CHUNK_BYTES))
    this.#length = 0
  }

  #endChunk(): void {
    if (this.#length > 0) this.#chunks.push(this.#last.subarray(0, this.#length))
  }

  /**
   * Send them into a table, once. All are in memory, so the server never waits for anyone.
   * @param statement a constant `copy … from stdin`
   */
  async copyInto(client: pg.PoolClient, statement: string): Promise<void> {
    this.#endChunk()
    const last = this.#chunks.pop()
    if (last === undefined) return
    const stream = client.query(copyFrom(statement))
    surviveItsSession(stream)
    const done = once(stream, 'finish')
    done.catch(() => undefined)
    for (const chunk of this.#chunks) {
      if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), done])
    }
    stream.end(last)
    await done
  }
}

/** What the stream needs of a connection, when there is none any more. */
const NO_CONNECTION = { stream: { write: () => true, once: () => undefined }, sendCopyFail: () => undefined }

/**
 * When its session is ended, as happens to a process that was stopped, the stream forgets the connection, and what it
 * still has to send would be a TypeError, thrown where nobody can catch it. Let it send into nothing: it has failed.
 */
function surviveItsSession(stream: object): void {
  const query = stream as { handleError(error: Error): void; connection: unknown } & NodeJS.EventEmitter
  const fail = query.handleError.bind(query)
  query.handleError = (error) => {
    fail(error)
    query.connection = NO_CONNECTION
  }
  query.on('error', () => undefined)
}

/** Read with one session: of a pool, one is taken meanwhile. */
export async function* withClient<Item>(
  sql: Sql,
  read: (client: pg.ClientBase) => AsyncGenerator<Item>,
): AsyncGenerator<Item> {
  if (!isPool(sql)) return yield* read(sql as pg.ClientBase)
  const client = await sql.connect()
  try {
    yield* read(client)
  } finally {
    client.release()
  }
}

type CopiedRow = readonly (string | null)[]

const NEWLINE = 0x0a

/** The rows of a `copy … to stdout` in the text format, as they come: some hundred at once. */
export async function* readCopyRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly CopiedRow[]> {
  let rest: Buffer | undefined
  for await (const chunk of chunks) {
    const bytes: Buffer = rest ? Buffer.concat([rest, chunk]) : chunk
    // A newline within a value is escaped, so a row ends at each, and no character is cut.
    const end = bytes.lastIndexOf(NEWLINE) + 1
    rest = end < bytes.length ? bytes.subarray(end) : undefined
    if (end > 0)
      yield bytes
        .toString('utf8', 0, end - 1)
        .split('\n')
        .map(copiedRow)
  }
}

function copiedRow(line: string): CopiedRow {
  const fields = line.split('\t')
  return line.includes('\\') ? fields.map(unescaped) : fields
}

const UNESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function unescaped(field: string): string | null {
  if (field === '\\N') return null
  return field.includes('\\')
    ? field.replace(/\\(.)/g, (_, letter: string) => UNESCAPES[letter] ?? letter)
    : field
}
