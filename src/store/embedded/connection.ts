import pg from 'pg'
import { endTimeouts } from './session-settings.ts'
import { PORT } from './socket-dir.ts'

/** What `pg` takes to connect. All of it is said, so that PGHOST, PGSSLMODE and the like change nothing. */
export interface Connection {
  /** A host name, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password?: string
  readonly ssl: boolean | object
  /** Settings of the session, as in `-c name=value`. */
  readonly options?: string
  /** Where names are looked up, instead of Farthing's schema alone: tests have a clock of their own. */
  readonly searchPath?: string
}

export const DATABASE = 'farthing'

export function socketConnection(socketDir: string, database = DATABASE): Connection {
  return { host: socketDir, port: PORT, user: 'farthing', database, ssl: false }
}

/** One statement on a session of its own, which is cut off when the signal aborts. Throws what `pg` throws. */
export async function ask<Row extends object>(
  connection: Connection,
  statement: string,
  signal?: AbortSignal,
): Promise<Row | undefined> {
  signal?.throwIfAborted()
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 })
  // An error after the answer changes nothing any more, but without a listener it would end the process.
  client.on('error', () => {})
  if (signal) cutOffWhen(signal, client)
  try {
    await client.connect()
    await endTimeouts(client)
    const { rows } = await client.query<Row>(statement)
    return rows[0]
  } finally {
    await client.end()
  }
}

/** End a session when the signal aborts, also in the middle of a statement: the database rolls it back. */
export function cutOffWhen(signal: AbortSignal, client: pg.ClientBase): void {
  const cutOff = () => streamOf(client)?.destroy()
  signal.addEventListener('abort', cutOff)
  client.once('end', () => signal.removeEventListener('abort', cutOff))
  if (signal.aborted) cutOff()
}

/** The driver's types do not have it. */
function streamOf(client: pg.ClientBase): { destroy(): void } | undefined {
  return (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream
}
