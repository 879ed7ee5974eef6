import { randomBytes } from 'node:crypto'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import pg from 'pg'
import type { Connection } from './connection.ts'
import type { Log } from './log.ts'

const MINUTE_MS = 60_000

/**
 * What every session is set to, whatever the server, its database and its role say. A statement that waits for
 * rows to insert is reached by none of these timeouts; who waits for it has to end it.
 */
const SESSION = {
  timezone: 'UTC',
  default_transaction_isolation: 'read committed',
  synchronous_commit: 'on',
  statement_timeout: 10 * MINUTE_MS,
  lock_timeout: 0,
  idle_in_transaction_session_timeout: MINUTE_MS,
}

/** Part of the name of each session, so that others can tell which sessions belong to one process (store/heartbeat.ts). */
const PROCESS_TAG = processTag()

/** The same in each thread that this one starts. */
function processTag(): string {
  const name = 'farthing process tag'
  const given = getEnvironmentData(name)
  if (typeof given === 'string') return given
  const tag = randomBytes(6).toString('hex')
  setEnvironmentData(name, tag)
  return tag
}

/** `farthing-read 0f3c…`: what a session is for, and whose it is. */
export function sessionName(purpose: string): string {
  return `${purpose} ${PROCESS_TAG}`
}

export interface PoolOptions {
  /** Sessions at most; a caller that wants one more waits. */
  readonly max?: number
  /** What its sessions are for. Seen in `pg_stat_activity` and in the server's log, with the process's tag. */
  readonly applicationName?: string
  readonly log?: Log
}

/**
 * A pool whose sessions are all set as above, from their first statement on. `bigint` and `numeric` arrive as
 * text, as `pg` does by itself. A session that breaks is logged, and never ends the process: the statement that
 * was running on it fails, and the next one gets a new session.
 */
export function makePool(
  connection: Connection,
  { max = 10, applicationName, log }: PoolOptions = {},
): pg.Pool {
  const pool = new pg.Pool({
    ...connection,
    options: [connection.options, startupOptions()].filter(Boolean).join(' '),
    application_name: sessionName(applicationName ?? 'farthing'),
    max,
  })
  const report = (error: Error) => log?.warn({ err: error }, 'A database session has broken')
  pool.on('error', report)
  // The pool listens to idle sessions only; one that breaks in use would end the process.
  pool.on('connect', (client) => client.on('error', report))
  return pool
}

/** Blanks inside a value are escaped with a backslash. */
function startupOptions(): string {
  const settings = Object.entries(SESSION)
  return settings.map(([name, value]) => `-c ${name}=${String(value).replaceAll(' ', '\\ ')}`).join(' ')
}
