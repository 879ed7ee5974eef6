import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Connection } from './embedded/connection.ts'
import { endTimeouts, prepareSession, sessionSettings, SettingLost } from './embedded/session-settings.ts'
import { sqlState } from './transaction.ts'

/** Longest wait for a session or an answer: a pool whose sessions are all taken lets us wait. */
export const PROBE_PATIENCE_MS = 10_000

/** What is wrong with the sessions of a database, without its address. */
export interface ProbeFailed {
  readonly code: 'database/no_advisory_locks' | 'database/setting' | 'database/transaction_pooling'
  readonly detail: string
}

/**
 * Ask whether sessions are what Farthing takes them for: they keep their settings, they belong to one client, and their
 * advisory locks lock. What is between Farthing and PostgreSQL is not asked for its name: a pooler, or a server that
 * only speaks PostgreSQL's protocol, shows itself by what it does.
 * @throws what `pg` throws when a session cannot be had
 */
export async function probeSessions(
  connection: Connection,
  signal?: AbortSignal,
): Promise<ProbeFailed | undefined> {
  const clients: pg.Client[] = []
  const stop = () => void endAll(clients)
  signal?.addEventListener('abort', stop)
  try {
    const open = async () => {
      signal?.throwIfAborted()
      return connect(connection, clients)
    }
    return (await probePooling(open)) ?? (await probeSettings(open)) ?? (await probeLocks(open))
  } finally {
    signal?.removeEventListener('abort', stop)
    await endAll(clients)
  }
}

async function connect(connection: Connection, clients: pg.Client[]): Promise<pg.Client> {
  const client = new pg.Client({
    ...connection,
    application_name: 'farthing-probe',
    connectionTimeoutMillis: PROBE_PATIENCE_MS,
    query_timeout: PROBE_PATIENCE_MS,
  })
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  await endTimeouts(client)
  return client
}

async function endAll(clients: readonly pg.Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
}

type Open = () => Promise<pg.Client>

const POOLED: ProbeFailed = {
  code: 'database/transaction_pooling',
  detail:
    'is reached through a pooler that gives sessions from client to client after each transaction or statement, so ' +
    'settings and locks do not hold: use session mode (PgBouncer: pool_mode = session), or connect to PostgreSQL itself.',
}

/**
 * One client leaves a mark in its session. Others look for it, each in a transaction that stays open, so that a pooler
 * has to give each a session of its own; then the first one looks again. In a session of its own it finds its mark,
 * and nobody else does.
 */
async function probePooling(open: Open): Promise<ProbeFailed | undefined> {
  const mark = randomBytes(12).toString('hex')
  const first = await open()
  await first.query(`select pg_catalog.set_config('farthing.mark', $1, false)`, [mark])
  const look = async () => {
    const client = await open()
    await client.query('begin')
    return readMark(client)
  }
  try {
    for (let others = 1; others <= 2; others++) if ((await look()) === mark) return POOLED
    if ((await readMark(first)) !== mark) return POOLED
    // A pooler that takes its sessions in turns gives the marked one only now.
    return (await look()) === mark ? POOLED : undefined
  } catch (error) {
    // In statement mode there are no transactions.
    if (error instanceof Error && /pooling mode/i.test(error.message)) return POOLED
    throw error
  }
}

async function readMark(client: pg.Client): Promise<string | null> {
  const text = `select pg_catalog.current_setting('farthing.mark', true) as mark`
  return (await client.query<{ mark: string | null }>(text)).rows[0]!.mark
}

async function probeSettings(open: Open): Promise<ProbeFailed | undefined> {
  const client = await open()
  const { search_path: _, ...settings } = sessionSettings({})
  try {
    await prepareSession(client, settings)
    return undefined
  } catch (error) {
    const keeps = 'does not keep a setting that Farthing needs'
    if (error instanceof SettingLost) {
      const fix = 'use a PostgreSQL, or a pooler in session mode, that lets each session be set'
      return { code: 'database/setting', detail: `${keeps} (${error.message}): ${fix}.` }
    }
    const state = sqlState(error)
    if (state === undefined || /^(?:08|53|57)/.test(state)) throw error
    const fix = 'let its role set the parameters that docs/operations.md lists'
    return { code: 'database/setting', detail: `${keeps} (${(error as Error).message}): ${fix}.` }
  }
}

/** Each step is what one of two sessions asks, and whether it gets the lock, or has had it. */
const LOCKING: readonly (readonly [session: 0 | 1, call: string, expected: boolean])[] = [
  [0, 'pg_try_advisory_lock', true],
  [1, 'pg_try_advisory_lock', false],
  [1, 'pg_try_advisory_xact_lock_shared', false],
  [0, 'pg_advisory_unlock', true],
  [1, 'pg_try_advisory_lock', true],
  [0, 'pg_try_advisory_xact_lock', false],
  [1, 'pg_advisory_unlock', true],
  [0, 'pg_try_advisory_lock_shared', true],
  [1, 'pg_try_advisory_lock_shared', true],
  [0, 'pg_try_advisory_xact_lock', false],
  [1, 'pg_advisory_unlock_shared', true],
  [0, 'pg_advisory_unlock_shared', true],
  [1, 'pg_try_advisory_xact_lock', true],
]

/** The gate is such a lock: where it locks nobody out, an hour would be sealed while its events come in. */
async function probeLocks(open: Open): Promise<ProbeFailed | undefined> {
  const sessions = [await open(), await open()] as const
  const key = randomBytes(8).readBigInt64BE().toString()
  const lost = (why: string): ProbeFailed => ({
    code: 'database/no_advisory_locks',
    detail: `has no advisory locks that hold (${why}), and events would be lost without them: use PostgreSQL itself, 15 or newer.`,
  })
  for (const [session, call, expected] of LOCKING) {
    try {
      const { rows } = await sessions[session].query<{ got: boolean }>(`select ${call}($1) as got`, [key])
      if (rows[0]?.got !== expected) return lost(`${call} answers ${rows[0]?.got} and not ${expected}`)
    } catch (error) {
      const state = sqlState(error)
      if (state === undefined || /^(?:08|53|57)/.test(state)) throw error
      return lost((error as Error).message)
    }
  }
  return undefined
}
