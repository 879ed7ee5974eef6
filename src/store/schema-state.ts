import type pg from 'pg'
import { SCHEMA } from './embedded/session-settings.ts'
import { oneLine } from './embedded/refusal.ts'
import { knownMigrations, versionOfOtherRules } from './migrations.ts'

export type SchemaCode =
  | 'database/foreign_table'
  | 'database/migration_locked'
  | 'database/newer_schema'
  | 'database/no_schema'
  | 'database/older_schema'
  | 'database/other_rules'
  | 'database/read_only'
  | 'database/rights'
  | 'database/two_schemas'

export interface SchemaRefused {
  readonly ok: false
  readonly code: SchemaCode
  readonly detail: string
}

export function refuseSchema(code: SchemaCode, detail: string): SchemaRefused {
  return { ok: false, code, detail: oneLine(detail) }
}

/** Where Farthing's tables are, and which migrations have made them. */
export interface SchemaState {
  readonly ok: true
  /** `public`: they were made or restored there. Undefined: there are none. */
  readonly schema: typeof SCHEMA | 'public' | undefined
  readonly done: ReadonlySet<string>
}

interface Raw {
  readonly schema: typeof SCHEMA | 'public'
  readonly owner: string
  readonly role: string
  readonly readable: boolean
}

/** From the catalog, which everyone may read: tables of another role must not look like none. */
const FIND = `
  select n.nspname as schema, pg_get_userbyid(t.relowner) as owner, current_user as role,
         has_schema_privilege(n.oid, 'usage') and has_table_privilege(t.oid, 'select') as readable
    from pg_catalog.pg_namespace n
    join pg_catalog.pg_class t on t.relnamespace = n.oid and t.relname = 'migration' and t.relkind = 'r'
   where n.nspname in ('${SCHEMA}', 'public')
     and (select count(*) from pg_catalog.pg_attribute a
           where a.attrelid = t.oid and a.attname in ('name', 'applied_at') and not a.attisdropped) = 2
     and exists (select from pg_catalog.pg_class e
                  where e.relnamespace = n.oid and e.relname = 'usage_event' and e.relkind = 'p')`

/** Only tables that are whole count: a table of another program may have one of the names. */
export async function readSchema(client: pg.ClientBase | pg.Pool): Promise<SchemaState | SchemaRefused> {
  const { rows } = await client.query<Raw>(FIND)
  if (rows.length > 1) {
    const what = `The database has Farthing's tables twice, in the schemas ${SCHEMA} and public`
    const fix = `keep the schema with your bills, and rename or drop the other one`
    return refuseSchema('database/two_schemas', `${what}: ${fix}.`)
  }
  const [found] = rows
  if (!found) return { ok: true, schema: undefined, done: new Set() }
  const { schema, owner, role, readable } = found
  if (!readable) {
    const what = `The tables in the schema ${schema} belong to ${owner}, and ${role} may not read them`
    const fix = `connect as ${owner}, or run as it: grant usage on schema ${schema} to ${role}; grant select on all tables in schema ${schema} to ${role}`
    return refuseSchema('database/rights', `${what}: ${fix}.`)
  }
  const { rows: names } = await client.query<{ name: string }>(`select name from ${schema}.migration`)
  return { ok: true, schema, done: new Set(names.map(({ name }) => name)) }
}

/** Versions whose databases cannot be used here: those of other rules, and newer ones. */
export function refuseVersion({ done }: SchemaState): SchemaRefused | undefined {
  const older = versionOfOtherRules(done)
  if (older !== undefined) {
    const what = `This database was made by Farthing ${older}, whose bills follow other rules`
    const fix = `set FARTHING_DATA_DIR to a new directory, or DATABASE_URL to an empty database, and import your events again`
    const left = `It was not changed: Farthing ${older} still reads, verifies and backs it up.`
    return refuseSchema('database/other_rules', `${what}: ${fix}. ${left}`)
  }
  const known = knownMigrations()
  const foreign = [...done].find((name) => !known.includes(name))
  if (foreign === undefined) return undefined
  const detail = `The database has the migration ${foreign}, which this version does not know: start a newer Farthing.`
  return refuseSchema('database/newer_schema', detail)
}

/**
 * Is the schema that of this version? For commands that leave it as it is, since a server of another version may use it.
 * @returns `database/no_schema` for an empty database
 */
export async function checkSchema(client: pg.ClientBase | pg.Pool): Promise<SchemaState | SchemaRefused> {
  const state = await readSchema(client)
  if (!state.ok) return state
  if (state.schema === undefined) {
    const advice = 'start the server once, or set FARTHING_DATA_DIR or DATABASE_URL to where its tables are'
    return refuseSchema('database/no_schema', `There is nothing of Farthing in the database: ${advice}.`)
  }
  const refused = refuseVersion(state)
  if (refused) return refused
  const missing = knownMigrations().filter((name) => !state.done.has(name))
  if (missing.length === 0 && state.schema === SCHEMA) return state
  const what = `The schema of the database is of an older version of Farthing`
  const fix = 'run `farthing migrate`, or start the server, which does the same'
  return refuseSchema('database/older_schema', `${what}: ${fix}.`)
}
