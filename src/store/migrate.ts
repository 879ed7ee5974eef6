import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { sessionName } from './embedded/session.ts'

const FOLDER = new URL('schema/', import.meta.url)
/** One migration at a time in a database, no matter which process starts it. */
const MIGRATION_LOCK = 'farthing.migrations'

/**
 * The first migration of versions whose bills follow other rules, and the last such version. Their bills could not be
 * recomputed here, so their databases and backups are refused. Anyone who changes what a bill of the same facts says
 * (amounts, the texts of digests) gives the first migration another name, and adds the old one here.
 */
const OTHER_RULES: ReadonlyMap<string, string> = new Map([['0001-facts.sql', '0.1.0']])

/** The version of other rules that has made a schema of these migrations; undefined: none has. */
export function versionOfOtherRules(migrations: Iterable<string>): string | undefined {
  for (const name of migrations) if (OTHER_RULES.has(name)) return OTHER_RULES.get(name)
  return undefined
}

export type Migrated =
  | { readonly ok: true; readonly applied: readonly string[] }
  | {
      readonly ok: false
      readonly code: 'database/other_rules' | 'database/newer_schema'
      readonly detail: string
    }

/**
 * Bring the schema up to date: numbered SQL files, forward only, each in a transaction. Safe when two processes
 * start at once: the second waits, and finds nothing left to do. A process that is stopped meanwhile is ended by
 * those that wait, if they show a heartbeat (heartbeat.ts).
 * @param wanted only these of them, for data of an older schema; undefined: all
 * @returns `database/other_rules` when an older Farthing with other rules has made the database, and
 * `database/newer_schema` when a newer one has migrated it already: then it is left as it is
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
  const older = versionOfOtherRules(done)
  if (older !== undefined) return refuseOtherRules(older)
  const foreign = [...done].find((name) => !files.includes(name))
  if (foreign !== undefined) {
    const detail = `The database has the migration ${foreign}, which this version does not know: start a newer Farthing.`
    return { ok: false, code: 'database/newer_schema', detail }
  }
  const missing = files.filter((name) => wanted.includes(name) && !done.has(name))
  for (const name of missing) await apply(client, name)
  return { ok: true, applied: missing }
}

function refuseOtherRules(version: string): Migrated {
  const what = `This database was made by Farthing ${version}, which computed amounts by another rule`
  const fix = `set FARTHING_DATA_DIR to a new directory, or DATABASE_URL to an empty database, and import your events again`
  const left = `It was not changed: Farthing ${version} still reads, verifies and backs it up.`
  return { ok: false, code: 'database/other_rules', detail: `${what}: ${fix}. ${left}` }
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
