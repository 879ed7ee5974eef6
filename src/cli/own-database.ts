import { existsSync } from 'node:fs'
import type { LogSettings } from '../flows/log/log-keys.ts'
import type { SettlePass } from '../flows/settle/settle.ts'
import { type Connection, type Log, makePool, openDatabase } from '../store/connect.ts'
import { startHeartbeat } from '../store/heartbeat.ts'
import { migrate, type Migrated } from '../store/migrate.ts'
import { findDeploymentRow } from '../store/deployment.ts'
import { runOne } from '../store/query.ts'
import type { Pool } from '../store/reading-pool.ts'
import { checkSchema } from '../store/schema-state.ts'
import type { Storage } from '../store/server-facts.ts'
import { refuseTrouble } from '../store/start-trouble.ts'
import { CommandFailed } from './terminal/command-failed.ts'
import { complain } from './terminal/terminal.ts'

/** What a process is set to, as far as commands that work on the database need it. */
export interface OwnSettings extends Pick<SettlePass, 'graceMs' | 'backfillQuietMs' | 'identityWindowMs'> {
  readonly dataDir: string
  readonly databaseUrl: string | undefined
  readonly storage?: Storage
  readonly signing?: LogSettings
}

/** Reads the settings from the environment, which is done in one place for all. */
export type ReadOwnSettings = () =>
  { readonly ok: true; readonly settings: OwnSettings } | { readonly ok: false; readonly detail: string }

/** Information is for logs; a person at a command gets to know what goes wrong. */
const LOG: Log = {
  info() {},
  warn: (_, text) => complain(text, 'yellow'),
  error: (_, text) => complain(text, 'red'),
}

/**
 * Work on the database itself, beside a running server or without one. The embedded PostgreSQL is joined, or
 * started for as long as the work takes. A schema of another version is refused: a server of that version may use it.
 */
export function withDatabase<Result>(
  readSettings: ReadOwnSettings,
  work: (pool: Pool, settings: OwnSettings) => Promise<Result>,
): Promise<Result> {
  return openedDatabase(readSettings, async (connection, settings) => {
    await refuseOtherSchema(connection)
    const heartbeat = await startHeartbeat({ connection, log: LOG })
    const pool = makePool(connection, { applicationName: 'farthing-cli', log: LOG })
    try {
      if (!(await runOne(pool, findDeploymentRow, undefined))) throw nothingThere('the database')
      return await work(pool, settings)
    } finally {
      await pool.end()
      await heartbeat.stop()
    }
  })
}

/** The same, for questions alone: its role needs no rights but to read. */
export function withReadableDatabase<Result>(
  readSettings: ReadOwnSettings,
  work: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  return openedDatabase(readSettings, async (connection) => {
    await refuseOtherSchema(connection)
    const heartbeat = await startHeartbeat({ connection, log: LOG })
    const settings = { default_transaction_read_only: 'on' }
    const pool = makePool(connection, { applicationName: 'farthing-cli-read', log: LOG, settings })
    try {
      if (!(await runOne(pool, findDeploymentRow, undefined))) throw nothingThere('the database')
      return await work(pool)
    } finally {
      await pool.end()
      await heartbeat.stop()
    }
  })
}

/** Change the schema of the database to that of this version. */
export function migrateDatabase(readSettings: ReadOwnSettings, signal: AbortSignal): Promise<Migrated> {
  return openedDatabase(
    readSettings,
    async (connection) => {
      const heartbeat = await startHeartbeat({ connection, log: LOG })
      try {
        return await migrate(connection, { log: LOG, signal })
      } finally {
        await heartbeat.stop()
      }
    },
    { signal },
  )
}

async function openedDatabase<Result>(
  readSettings: ReadOwnSettings,
  work: (connection: Connection, settings: OwnSettings) => Promise<Result>,
  { isMade = false, signal }: { readonly isMade?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Result> {
  const read = readSettings()
  if (!read.ok) throw new CommandFailed(read.detail)
  const { databaseUrl, dataDir, storage } = read.settings
  if (!isMade && !databaseUrl && !existsSync(dataDir)) throw nothingThere(dataDir)
  const opened = await openDatabase({ databaseUrl, dataDir, storage, log: LOG, signal })
  if (!opened.ok) throw new CommandFailed(opened.detail)
  const { connection, stop } = opened.database
  try {
    return await work(connection, read.settings)
  } catch (error) {
    const refused = refuseTrouble(error, 'The database')
    throw refused ? new CommandFailed(refused.detail) : error
  } finally {
    await stop()
  }
}

async function refuseOtherSchema(connection: Connection): Promise<void> {
  const pool = makePool(connection, { max: 1, applicationName: 'farthing-cli', log: LOG })
  try {
    const state = await checkSchema(pool)
    if (!state.ok) throw new CommandFailed(state.detail)
  } finally {
    await pool.end()
  }
}

/** What a backup is restored into. */
export interface EmptyDatabase {
  readonly settings: OwnSettings
  readonly connection: Connection
  readonly pool: Pool
  readonly dataDir: string
}

/** The same, with a database that is made if there is none, and that nobody has migrated yet. */
export function withEmptyDatabase<Result>(
  readSettings: ReadOwnSettings,
  work: (database: EmptyDatabase) => Promise<Result>,
): Promise<Result> {
  return openedDatabase(
    readSettings,
    async (connection, settings) => {
      const { dataDir } = settings
      const pool = makePool(connection, { applicationName: 'farthing-restore', log: LOG })
      try {
        return await work({ connection, pool, dataDir, settings })
      } finally {
        await pool.end()
      }
    },
    { isMade: true },
  )
}

function nothingThere(place: string): CommandFailed {
  const advice = 'start the server once, or set FARTHING_DATA_DIR or DATABASE_URL to where its data is'
  return new CommandFailed(`There is nothing of Farthing in ${place}: ${advice}.`)
}
