import pg from 'pg'
import { ask, type Connection } from './embedded/connection.ts'
import type { Log } from './embedded/log.ts'
import { oneLine, type Refused as ServerRefused, systemCode } from './embedded/refusal.ts'
import { type Database, startEmbedded } from './embedded/start.ts'

export type { Connection } from './embedded/connection.ts'
export type { Database } from './embedded/start.ts'
export type { Log } from './embedded/log.ts'
export { makePool, type PoolOptions } from './embedded/session.ts'

/** Why a database of the user's own was refused. Codes are public API: add, never rename. */
export type DatabaseCode =
  | 'database/encoding'
  | 'database/fsync_off'
  | 'database/in_recovery'
  | 'database/login'
  | 'database/too_old'
  | 'database/unreachable'
  | 'database/url'

export interface Refused {
  readonly ok: false
  readonly code: DatabaseCode | ServerRefused['code']
  /** One line for the person who can fix it, without any password. */
  readonly detail: string
}

export type Opened = { readonly ok: true; readonly database: Database } | Refused

export interface OpenOptions {
  /** `postgres://…`; without it Farthing's own server is started in `dataDir`. */
  readonly databaseUrl?: string | undefined
  readonly dataDir: string
  readonly log: Log
}

/** PostgreSQL 15 has `nulls not distinct` and `merge`. */
const MAJOR_MIN = 15

/** The database that Farthing keeps its facts in: the user's own, checked, or the embedded one, started. */
export async function openDatabase({ databaseUrl, dataDir, log }: OpenOptions): Promise<Opened> {
  if (!databaseUrl) return startEmbedded({ dataDir, log })
  const connection = connectionOf(databaseUrl)
  if (!connection)
    return refuse('database/url', 'DATABASE_URL is no address: write postgres://user@host:5432/name.')
  const refused = await check(connection)
  return refused ?? { ok: true, database: { connection, joined: true, stop: async () => {} } }
}

/**
 * A URL by the driver's own rules (a socket as host, sslmode, PGHOST …), in fields that can be said and changed.
 * @returns undefined for what is no URL of PostgreSQL
 */
export function connectionOf(text: string): Connection | undefined {
  try {
    const url = new URL(text)
    if (!['postgres:', 'postgresql:'].includes(url.protocol)) return undefined
    const { host, port, user, database, password, ssl } = new pg.Client({ connectionString: text })
    const name = user ?? ''
    const options = url.searchParams.get('options')
    return {
      host,
      port,
      user: name,
      database: database ?? name,
      ssl,
      ...(password ? { password } : {}),
      ...(options ? { options } : {}),
    }
  } catch {
    return undefined
  }
}

interface Facts {
  readonly version: number
  readonly fsync: string
  readonly recovering: boolean
  readonly encoding: string
}

async function check(connection: Connection): Promise<Refused | undefined> {
  const at = `${connection.host}:${connection.port}`
  try {
    const facts = await ask<Facts>(
      connection,
      `select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync,
              pg_is_in_recovery() as recovering, current_setting('server_encoding') as encoding`,
    )
    return facts && refuseFacts(facts, `The database at ${at}`)
  } catch (error) {
    return refuseConnection(error, at)
  }
}

export function refuseFacts(facts: Facts, subject: string): Refused | undefined {
  const { version, fsync, recovering, encoding } = facts
  const major = Math.floor(version / 10_000)
  if (major < MAJOR_MIN) {
    const detail = `${subject} is PostgreSQL ${major}: Farthing needs ${MAJOR_MIN} or newer.`
    return refuse('database/too_old', detail)
  }
  if (recovering) {
    return refuse('database/in_recovery', `${subject} is a standby (in recovery): use the primary server.`)
  }
  if (fsync === 'off') {
    const detail = `${subject} has fsync = off, so a power cut can lose what was billed: set fsync = on.`
    return refuse('database/fsync_off', detail)
  }
  if (encoding !== 'UTF8') {
    const detail = `${subject} has the encoding ${encoding}: create one with encoding 'UTF8' template template0.`
    return refuse('database/encoding', detail)
  }
  return undefined
}

/** The server's own answer to a login (SQLSTATE class 28, or no such database), or no answer. */
function refuseConnection(error: unknown, at: string): Refused {
  const code = systemCode(error) ?? ''
  const reason =
    error instanceof AggregateError ? code : error instanceof Error ? error.message : String(error)
  if (/^28...$|^3D000$|^42501$/.test(code)) {
    const advice = 'check the user, password and database name in DATABASE_URL'
    return refuse('database/login', `The database at ${at} refuses the login (${reason}): ${advice}.`)
  }
  const advice = 'start it, or check host and port in DATABASE_URL'
  return refuse('database/unreachable', `The database at ${at} cannot be reached (${reason}): ${advice}.`)
}

function refuse(code: DatabaseCode, detail: string): Refused {
  return { ok: false, code, detail: oneLine(detail) }
}
