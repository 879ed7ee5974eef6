import { existsSync } from 'node:fs'
import type { SettlePass } from '../flows/settle/settle.ts'
import { type Connection, type Log, makePool, openDatabase } from '../store/connect.ts'
import { startHeartbeat } from '../store/heartbeat.ts'
import { migrate } from '../store/migrate.ts'
import { findDeploymentRow } from '../store/deployment.ts'
import { runOne } from '../store/query.ts'
import type { Pool } from '../store/reading-pool.ts'
import { CommandFailed } from './terminal/command-failed.ts'
import { complain } from './terminal/terminal.ts'

/** What a process is set to, as far as commands that work on the database need it. */
export interface OwnSettings extends Pick<SettlePass, 'graceMs' | 'backfillQuietMs' | 'identityWindowMs'> {
  readonly dataDir: string
  readonly databaseUrl: string | undefined
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
 * started for as long as the work takes.
 */
export async function withDatabase<Result>(
  readSettings: ReadOwnSettings,
  work: (pool: Pool, settings: OwnSettings) => Promise<Result>,
): Promise<Result> {
  const read = readSettings()
  if (!read.ok) throw new CommandFailed(read.detail)
  const { databaseUrl, dataDir } = read.settings
  if (!databaseUrl && !existsSync(dataDir)) throw nothingThere(dataDir)
  const opened = await openDatabase({ databaseUrl, dataDir, log: LOG })
  if (!opened.ok) throw new CommandFailed(opened.detail)
  const { connection, stop } = opened.database
  const heartbeat = await startHeartbeat({ connection, log: LOG })
  try {
    const migrated = await migrate(connection)
    if (!migrated.ok) throw new CommandFailed(migrated.detail)
    const pool = makePool(connection, { applicationName: 'farthing-cli', log: LOG })
    try {
      if (!(await runOne(pool, findDeploymentRow, undefined))) throw nothingThere('the database')
      return await work(pool, read.settings)
    } finally {
      await pool.end()
    }
  } finally {
    await heartbeat.stop()
    await stop()
  }
}

/** What a backup is restored into. */
export interface EmptyDatabase {
  readonly connection: Connection
  readonly pool: Pool
  readonly dataDir: string
}

/** The same, with a database that is made if there is none, and that nobody has migrated yet. */
export async function withEmptyDatabase<Result>(
  readSettings: ReadOwnSettings,
  work: (database: EmptyDatabase) => Promise<Result>,
): Promise<Result> {
  const read = readSettings()
  if (!read.ok) throw new CommandFailed(read.detail)
  const { databaseUrl, dataDir } = read.settings
  const opened = await openDatabase({ databaseUrl, dataDir, log: LOG })
  if (!opened.ok) throw new CommandFailed(opened.detail)
  const { connection, stop } = opened.database
  try {
    const pool = makePool(connection, { applicationName: 'farthing-restore', log: LOG })
    try {
      return await work({ connection, pool, dataDir })
    } finally {
      await pool.end()
    }
  } finally {
    await stop()
  }
}

function nothingThere(place: string): CommandFailed {
  const advice = 'start the server once, or set FARTHING_DATA_DIR or DATABASE_URL to where its data is'
  return new CommandFailed(`There is nothing of Farthing in ${place}: ${advice}.`)
}
