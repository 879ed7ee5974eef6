import pg from 'pg'
import { type Connection, cutOffWhen } from './embedded/connection.ts'
import type { Log } from './embedded/log.ts'
import { sessionName } from './embedded/session.ts'
import { prepareSession, SCHEMA, sessionSettings } from './embedded/session-settings.ts'
import { GATE } from './gate.ts'
import { type HolderWatch, watchHolders } from './lock-holders.ts'
import { knownMigrations, migrationText } from './migrations.ts'
import { moveOutOfPublic } from './move-schema.ts'
import {
  readSchema,
  refuseSchema,
  refuseVersion,
  type SchemaRefused,
  type SchemaState,
} from './schema-state.ts'
import { sqlState } from './transaction.ts'
import { MIN_WRITER } from './writer.ts'

export { knownMigrations, versionOfOtherRules } from './migrations.ts'

/** One migration at a time in a database, no matter which process starts it. */
const MIGRATION_LOCK = 'farthing.migrations'
/** A migration that waits longer for a lock gives up and names its holder. A stopped process has lost its locks by then. */
export const MIGRATION_LOCK_MS = 60_000
const DEADLOCK = '40P01'
const LOCK_NOT_AVAILABLE = '55P03'

export type Migrated =
  | {
      readonly ok: true
      readonly applied: readonly string[]
      /** Were the tables of an older version moved from `public` into a schema of their own? */
      readonly moved: boolean
    }
  | SchemaRefused

export interface MigrateOptions {
  /** Only these of them, for data of an older schema; undefined: all. */
  readonly wanted?: readonly string[]
  /** Told whom the migration waits for. */
  readonly log?: Log | undefined
  /** Ends it: nothing is changed, and it throws. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Bring the schema up to date: numbered SQL files, forward only, all in one transaction, which holds the gate alone.
 * Safe when two processes start at once: the second waits, and finds nothing left to do. A process that is stopped
 * meanwhile is ended by those that wait, if they show a heartbeat (heartbeat.ts). Its lock ends with the transaction,
 * so no session of a pooler can keep it.
 * @returns a refusal when the database is of other rules, newer, locked for long, or its role has too few rights: then
 *   it is left as it is
 */
export async function migrate(connection: Connection, options: MigrateOptions = {}): Promise<Migrated> {
  const { wanted = knownMigrations(), log, signal } = options
  signal?.throwIfAborted()
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 30_000 })
  client.on('error', () => {})
  if (signal) cutOffWhen(signal, client)
  await client.connect()
  const timeouts = { statement_timeout: '0', lock_timeout: String(MIGRATION_LOCK_MS) }
  const settings = { application_name: sessionName('farthing-migrate'), ...timeouts }
  let watch: HolderWatch | undefined
  const cancel = () => watch?.cancel()
  try {
    await prepareSession(client, sessionSettings(connection, settings))
    const ready = await findReady(client, wanted)
    if (ready) return ready
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    watch = await watchHolders(connection, rows[0]!.pid, log)
    signal?.addEventListener('abort', cancel)
    return await migrateOrRefuse(client, wanted, watch, signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', cancel)
    await watch?.stop()
    await client.end()
  }
}

/** The answer when there is nothing to do, which needs no lock and no right but to read. */
async function findReady(client: pg.Client, wanted: readonly string[]): Promise<Migrated | undefined> {
  const state = await readSchema(client)
  if (!state.ok) return state
  const refused = refuseVersion(state)
  if (refused) return refused
  const isReady = state.schema === SCHEMA && wanted.every((name) => state.done.has(name))
  return isReady ? { ok: true, applied: [], moved: false } : undefined
}

async function migrateOrRefuse(
  client: pg.Client,
  wanted: readonly string[],
  watch: HolderWatch,
  signal: AbortSignal | undefined,
): Promise<Migrated> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await migrateAtOnce(client, wanted, signal)
    } catch (error) {
      signal?.throwIfAborted()
      // Sessions of an older version take their locks in another order.
      if (sqlState(error) === DEADLOCK && attempt < 3) continue
      const refused = await refuseError(client, error, watch.holders())
      if (refused) return refused
      throw error
    }
  }
}

async function migrateAtOnce(
  client: pg.Client,
  wanted: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Migrated> {
  signal?.throwIfAborted()
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock(hashtext($1))', [MIGRATION_LOCK])
    const state = await readSchema(client)
    const refused = state.ok ? refuseVersion(state) : state
    const result = refused ?? (await apply(client, state as SchemaState, wanted, signal))
    await client.query(result.ok ? 'commit' : 'rollback')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

async function apply(
  client: pg.Client,
  { schema, done }: SchemaState,
  wanted: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Migrated> {
  if (schema !== undefined) await keepOthersOut(client, schema)
  const { rows } = await client.query<{ there: boolean }>(
    `select exists (select from pg_catalog.pg_namespace where nspname = '${SCHEMA}') as there`,
  )
  if (!rows[0]!.there) await client.query(`create schema ${SCHEMA}`)
  const moved = schema === 'public'
  if (moved) await moveOutOfPublic(client, done)
  if (schema === undefined) {
    await client.query(
      'create table migration (name text primary key, applied_at timestamptz not null default now())',
    )
  }
  const missing = knownMigrations().filter((name) => wanted.includes(name) && !done.has(name))
  for (const name of missing) {
    signal?.throwIfAborted()
    await client.query(migrationText(name))
    await client.query('insert into migration (name) values ($1)', [name])
  }
  await raiseMinWriter(client, wanted)
  signal?.throwIfAborted()
  return { ok: true, applied: missing, moved }
}

/** No event is stored and no bucket is settled until the schema has changed: then everyone reads the watermark. */
async function keepOthersOut(client: pg.Client, schema: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [GATE])
  await client.query(`lock table ${schema}.bucket in exclusive mode`)
}

/** A backup of an older schema is filled in before the column is there. */
async function raiseMinWriter(client: pg.Client, wanted: readonly string[]): Promise<void> {
  if (!wanted.some((name) => Number.parseInt(name, 10) >= MIN_WRITER)) return
  await client.query('update deployment set min_writer = $1 where min_writer < $1', [MIN_WRITER])
}

/** What the role, the database or another program is the cause of, as a refusal. */
async function refuseError(
  client: pg.Client,
  error: unknown,
  holders: string | undefined,
): Promise<SchemaRefused | undefined> {
  const state = sqlState(error)
  const reason = error instanceof Error ? error.message : String(error)
  if (state === LOCK_NOT_AVAILABLE) {
    const what = `The schema cannot be changed: ${holders ?? 'another session'} has held its lock for over ${MIGRATION_LOCK_MS / 1000} s`
    return refuseSchema(
      'database/migration_locked',
      `${what}. End that session (select pg_terminate_backend(…)), or try again.`,
    )
  }
  // No schema in which to create: the role may not use the one that is there.
  if (state === '42501' || state === '3F000') return refuseRights(client, reason)
  if (state === '25006') {
    const what = `The database is read-only (${reason})`
    return refuseSchema('database/read_only', `${what}: connect to the primary server, or let it be written.`)
  }
  if (state === '42P07' || state === '42723' || state === '42P06' || state === '42710') {
    const what = `The schema ${SCHEMA} has something of another program (${reason})`
    const fix = 'drop or rename it, or give Farthing a database of its own'
    return refuseSchema('database/foreign_table', `${what}: ${fix}.`)
  }
  return undefined
}

async function refuseRights(client: pg.Client, reason: string): Promise<SchemaRefused> {
  const { rows } = await client.query<{ role: string; database: string }>(
    'select quote_ident(current_user) as role, current_database() as database',
  )
  const { role, database } = rows[0]!
  const what = `The role ${role} may not change the schema of the database ${database} (${reason})`
  const fix = `run as their owner: create schema if not exists ${SCHEMA}; grant usage, create on schema ${SCHEMA} to ${role}`
  const moved = 'Tables of an older version are changed by their owner alone: connect as it.'
  return refuseSchema('database/rights', `${what}: ${fix}. ${moved}`)
}
