import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { DoesNotFit } from '../flows/read/parquet-file.ts'
import type { Sql } from '../store/query.ts'
import { HttpProblem } from './api/problem.ts'
import type { Call, HttpContext } from './route.ts'

/** Between two tries of a page to get its turn, while the key has many questions. */
const TURN_RETRY_MS = 500

type Bytes = AsyncGenerator<string | Uint8Array>

/**
 * Answers with bytes as they are made. What can be refused is refused before the first byte; what fails later breaks the
 * connection, so that nobody takes the part for the whole. No session is held between pages, and each page waits for its
 * turn as a question of the key does.
 */
export async function streamExport(
  { key, reply, request }: Pick<Call<unknown, unknown>, 'key' | 'reply' | 'request'>,
  { reading, gates, log }: HttpContext,
  make: (sql: Sql) => Bytes,
): Promise<Readable> {
  const end = gates.exports.begin(key!.id)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const sql = pacedSql(reading, async () => {
    for (;;) {
      try {
        return await gates.questions.enter({ key: key!, kind: 'export', gone: gone.signal })
      } catch (error) {
        if (!(error instanceof HttpProblem)) throw error
        await sleep(TURN_RETRY_MS, undefined, { signal: gone.signal })
      }
    }
  })
  const bytes = make(sql)
  try {
    const first = await bytes.next()
    sql.takeTurns()
    const stream = Readable.from(first.done ? [] : joined(first.value, bytes), { objectMode: false })
    stream.once('error', (error) => {
      if (!gone.signal.aborted) log.warn({ requestId: request.id, err: error }, 'an export broke off')
    })
    stream.once('close', end)
    // Not `reply.send`: anyone who waits for a reply waits for its end, and holds the turn of the question until then.
    return stream
  } catch (error) {
    end()
    if (error instanceof DoesNotFit) throw new HttpProblem('export/does_not_fit', error.message)
    throw error
  }
}

async function* joined(first: string | Uint8Array, rest: Bytes): Bytes {
  yield first
  yield* rest
}

/** The request has its turn until its answer begins; then each statement waits for one. */
function pacedSql(sql: Sql, turn: () => Promise<() => void>): Sql & { takeTurns(): void } {
  let takesTurns = false
  return {
    takeTurns() {
      takesTurns = true
    },
    async query(text, values) {
      if (!takesTurns) return sql.query(text, values)
      const leave = await turn()
      try {
        return await sql.query(text, values)
      } finally {
        leave()
      }
    },
  }
}
