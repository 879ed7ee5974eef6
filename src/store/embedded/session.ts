import { randomBytes } from 'node:crypto'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import pg from 'pg'
import { type Connection, cutOffWhen } from './connection.ts'
import type { Log } from './log.ts'
import { prepareSession, sessionSettings } from './session-settings.ts'

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
  /** What its sessions are set to beyond SESSION, or instead. */
  readonly settings?: Readonly<Record<string, string>>
  /** When it aborts, all sessions are cut off, whatever they wait for. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A pool whose sessions are all set by `prepareSession` before anyone gets one. `bigint` and `numeric` arrive as
 * text, as `pg` does by itself. A session that breaks is logged, and never ends the process: the statement that
 * was running on it fails, and the next one gets a new session.
 */
export function makePool(
  connection: Connection,
  { max = 10, applicationName = 'farthing', log, settings, signal }: PoolOptions = {},
): pg.Pool {
  const wanted = sessionSettings(connection, { application_name: sessionName(applicationName), ...settings })
  const pool = new pg.Pool({
    ...connection,
    application_name: sessionName(applicationName),
    max,
    // The driver waits for what it returns, whatever its types say.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: (client) => {
      signal?.throwIfAborted()
      return prepareSession(client, wanted)
    },
  })
  // One that breaks while the pool ends was not needed any more.
  const report = (error: Error) => {
    if (!pool.ending) log?.warn({ err: error }, 'A database session has broken')
  }
  pool.on('error', report)
  pool.on('connect', (client) => {
    // The pool listens to idle sessions only; one that breaks in use would end the process.
    client.on('error', report)
    if (signal) cutOffWhen(signal, client)
  })
  return pool
}
