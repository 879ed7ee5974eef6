import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { sessionName } from './embedded/session.ts'

const FOLDER = new URL('schema/', import.meta.url)
/** One migration at a time in a database, whoever starts it. */
const MIGRATION_LOCK = 'farthing.migrations'

export type Migrated =
  | { readonly ok: true; readonly applied: readonly string[] }
  | { readonly ok: false; readonly code: 'database/newer_schema'; readonly detail: string }

/**
 * Bring the schema up to date: numbered SQL files, forward only, each in a transaction. Safe when two processes
 * start at once: the second waits, and finds nothing left to do. A process that is stopped meanwhile is ended by
 * those that wait, if they show signs of life (life.ts).
 * @param wanted only these of them, for data of an older schema; undefined: all
 * @returns `database/newer_schema` when a newer Farthing has migrated the database already
 */
export async function migrate(
  connection: pg.ClientConfig,
  wanted: readonly string[] = knownMigrations(),
): Promise<Migrated> {
  const client = new pg.Client({ ...connection, application_name: sessionName('farthing-migrate') })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(hashtext($1))', [MIGRATION_LOCK])
    await client.query(
      'create table if not exists migration (name text primary key, applied_at timestamptz not null default now())',
    )
    const { rows } = await client.query<{ name: string }>('select name from migration')
    return await applyMissing(client, new Set(rows.map(({ name }) => name)), wanted)
  } finally {
    await client.end()
  }
}

/** The migrations of this version, in their order. */
export function knownMigrations(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}

async function applyMissing(
  client: pg.Client,
  done: ReadonlySet<string>,
  wanted: readonly string[],
): Promise<Migrated> {
  const files = knownMigrations()
  const foreign = [...done].find((name) => !files.includes(name))
  if (foreign !== undefined) {
    const detail = `The database has the migration ${foreign}, which this version does not know: start a newer Farthing.`
    return { ok: false, code: 'database/newer_schema', detail }
  }
  const missing = files.filter((name) => wanted.includes(name) && !done.has(name))
  for (const name of missing) await apply(client, name)
  return { ok: true, applied: missing }
}

async function apply(client: pg.Client, name: string): Promise<void> {
  await client.query('begin')
  try {
    await client.query(readFileSync(new URL(name, FOLDER), 'utf8'))
    await client.query('insert into migration (name) values ($1)', [name])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}
