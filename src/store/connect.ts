import pg from 'pg'
import { ask, type Connection } from './embedded/connection.ts'
import type { Log } from './embedded/log.ts'
import { oneLine, type Refused as ServerRefused, systemCode } from './embedded/refusal.ts'
import { type Database, startEmbedded } from './embedded/start.ts'
import { probeSessions } from './probe-sessions.ts'
import { DURABLE, type Facts, FACTS, remarksOn, type Storage } from './server-facts.ts'

export type { Connection } from './embedded/connection.ts'
export type { Database } from './embedded/start.ts'
export type { Log } from './embedded/log.ts'
export { makePool, type PoolOptions } from './embedded/session.ts'

/** Why a database of the user's own was refused. Codes are public API: add, never rename. */
export type DatabaseCode =
  | 'database/encoding'
  | 'database/fsync_off'
  | 'database/full_page_writes_off'
  | 'database/in_recovery'
  | 'database/login'
  | 'database/no_advisory_locks'
  | 'database/setting'
  | 'database/too_few_sessions'
  | 'database/too_old'
  | 'database/transaction_pooling'
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
  /** `local` unless told. */
  readonly storage?: Storage | undefined
  /** Ends a start in progress: what it has started is stopped, and it throws. */
  readonly signal?: AbortSignal | undefined
}

/** PostgreSQL 15 has `nulls not distinct` and `merge`. */
const MAJOR_MIN = 15

/** The database that Farthing keeps its facts in: the user's own, checked, or the embedded one, started. */
export async function openDatabase(options: OpenOptions): Promise<Opened> {
  const { databaseUrl, dataDir, log, signal } = options
  if (!databaseUrl) return startEmbedded({ dataDir, log, signal })
  const connection = connectionOf(databaseUrl)
  if (!connection)
    return refuse('database/url', 'DATABASE_URL is no address: write postgres://user@host:5432/name.')
  const refused = await check(connection, options)
  signal?.throwIfAborted()
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

async function check(
  connection: Connection,
  { log, storage = 'local', signal }: OpenOptions,
): Promise<Refused | undefined> {
  const at = `${connection.host}:${connection.port}`
  const subject = `The database at ${at}`
  try {
    const facts = await ask<Facts>(connection, FACTS, signal)
    const refused = facts && refuseFacts(facts, subject, storage)
    if (refused) return refused
    for (const remark of facts ? remarksOn(facts) : []) log.warn({ at }, remark)
    const failed = await probeSessions(connection, signal)
    return failed && refuse(failed.code, `${subject} ${failed.detail}`)
  } catch (error) {
    signal?.throwIfAborted()
    return refuseConnection(error, at)
  }
}

export function refuseFacts(facts: Facts, subject: string, storage: Storage = 'local'): Refused | undefined {
  const { version, recovering, encoding } = facts
  const major = Math.floor(version / 10_000)
  if (major < MAJOR_MIN) {
    const detail = `${subject} is PostgreSQL ${major}: Farthing needs ${MAJOR_MIN} or newer.`
    return refuse('database/too_old', detail)
  }
  if (recovering) {
    return refuse('database/in_recovery', `${subject} is a standby (in recovery): use the primary server.`)
  }
  for (const { name, code } of DURABLE) {
    if (facts[name] !== 'off' || storage === 'replicated') continue
    const override = 'or set FARTHING_STORAGE=replicated if it is a service whose storage is replicated'
    const detail = `${subject} has ${name} = off, so a power cut can lose what was billed`
    return refuse(code, `${detail}: set ${name} = on, ${override}.`)
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
  if (code === '53300') {
    const advice =
      'end sessions of other programs, or raise max_connections or the connection limit of the role or database'
    return refuse(
      'database/too_few_sessions',
      `The database at ${at} has no session left (${reason}): ${advice}.`,
    )
  }
  const advice = 'start it, or check host and port in DATABASE_URL'
  return refuse('database/unreachable', `The database at ${at} cannot be reached (${reason}): ${advice}.`)
}

function refuse(code: DatabaseCode, detail: string): Refused {
  return { ok: false, code, detail: oneLine(detail) }
}
