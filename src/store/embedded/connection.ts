import pg from 'pg'
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
}

export const DATABASE = 'farthing'

export function socketConnection(socketDir: string, database = DATABASE): Connection {
  return { host: socketDir, port: PORT, user: 'farthing', database, ssl: false }
}

/** One statement on a session of its own. Throws what `pg` throws. */
export async function ask<Row extends object>(
  connection: Connection,
  statement: string,
): Promise<Row | undefined> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 })
  // An error after the answer changes nothing any more, but without a listener it would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<Row>(statement)
    return rows[0]
  } finally {
    await client.end()
  }
}
