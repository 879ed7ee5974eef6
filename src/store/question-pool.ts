import type pg from 'pg'
import { cancelStatement } from './server.ts'
import { run } from './query.ts'
import type { Pool } from './reading-pool.ts'

/**
 * The sessions of one question. When nobody waits for its answer any more, its statements are cancelled in PostgreSQL and
 * the next ones are refused. A session that was cancelled is closed and not used again: a cancellation that comes late
 * must not meet the statement of somebody else.
 * @param probes asks PostgreSQL to cancel
 * @param gone says that nobody waits any more
 */
export function makeQuestionPool(pool: Pool, probes: Pool, gone: AbortSignal): Pool {
  const held = new Set<pg.PoolClient>()
  gone.addEventListener('abort', () => held.forEach((client) => cancel(probes, client)), { once: true })

  async function connect(): Promise<pg.PoolClient> {
    gone.throwIfAborted()
    const client = await pool.connect()
    if (gone.aborted) client.release()
    gone.throwIfAborted()
    held.add(client)
    return lend(client)
  }

  function lend(client: pg.PoolClient): pg.PoolClient {
    const lent = {
      query(...statement: unknown[]): unknown {
        // As the driver does, and never by throwing: its callers wait for a promise.
        if (gone.aborted) return Promise.reject(gone.reason as Error)
        return (client.query as (...all: unknown[]) => unknown)(...statement)
      },
      release(error?: Error | boolean): void {
        held.delete(client)
        client.release(gone.aborted || error)
      },
    }
    return lent as pg.PoolClient
  }

  async function query(...statement: unknown[]): Promise<unknown> {
    const client = await connect()
    try {
      return await (client.query as (...all: unknown[]) => unknown)(...statement)
    } finally {
      client.release()
    }
  }

  return Object.assign(Object.create(pool) as Pool, { connect, query })
}

/** Best effort: a statement that is not reached has its time limit. */
function cancel(probes: Pool, client: pg.PoolClient): void {
  const { processID } = client as pg.PoolClient & { readonly processID?: number | null }
  if (processID) run(probes, cancelStatement, { pid: processID }).catch(() => undefined)
}
