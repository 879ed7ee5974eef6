import type pg from 'pg'

const MINUTE_MS = 60_000

/** The schema of Farthing's tables. PostgreSQL's own names come first, and nothing else is looked at. */
export const SCHEMA = 'farthing'

/** In milliseconds; 0 is none. */
const SESSION_TIMEOUTS = {
  statement_timeout: 10 * MINUTE_MS,
  lock_timeout: 0,
  idle_in_transaction_session_timeout: MINUTE_MS,
  idle_session_timeout: 0,
  transaction_timeout: 0,
}

/**
 * What every session is set to, whatever the server, its database and its role say: all that changes what a statement
 * means, what it answers, or how long it may take. Values are written as `pg_settings` shows them; times in
 * milliseconds. A statement that waits for rows to insert is reached by none of the timeouts; who waits for it has to
 * end it.
 */
export const SESSION: Readonly<Record<string, string>> = {
  search_path: SCHEMA,
  client_encoding: 'UTF8',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // A policy that would hide rows is an error then, never a smaller bill.
  row_security: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  default_table_access_method: 'heap',
  synchronous_commit: 'on',
  exit_on_error: 'off',
  jit: 'off',
  enable_partition_pruning: 'on',
  ...Object.fromEntries(Object.entries(SESSION_TIMEOUTS).map(([name, ms]) => [name, String(ms)])),
}

/** The database, or a pooler before it, does not keep a setting that Farthing needs. */
export class SettingLost extends Error {
  override readonly name = 'SettingLost'
}

/** @param more beyond SESSION, or instead */
export function sessionSettings(
  { searchPath }: { readonly searchPath?: string },
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return { ...SESSION, ...(searchPath === undefined ? {} : { search_path: searchPath }), ...more }
}

/** Settings that this version of PostgreSQL does not have are left out. */
const SET = `
  select pg_catalog.set_config(wanted.name, wanted.value, false)
    from unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) as wanted (name, value)
   where wanted.name in (select pg_catalog.lower(name) from pg_catalog.pg_settings)`
const HELD = `
  select pg_catalog.lower(name) as name, setting from pg_catalog.pg_settings
   where pg_catalog.lower(name) = any ($1::pg_catalog.text[])`

/** SQLSTATE of a statement that took longer than it may. */
const TOO_LONG = '57014'
const ATTEMPTS = 50

/**
 * Set a session by statement, since a pooler may keep settings of the startup message to itself, and look whether each
 * holds.
 * @throws SettingLost which names the first that does not
 */
export async function prepareSession(
  client: pg.ClientBase,
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  await endTimeouts(client)
  await client.query(SET, [Object.keys(wanted), Object.values(wanted)])
  const { rows } = await client.query<{ name: string; setting: string }>(HELD, [Object.keys(wanted)])
  const lost = rows.find(({ name, setting }) => wanted[name] !== setting)
  if (!lost) return
  const { name, setting } = lost
  throw new SettingLost(`${name} is ${JSON.stringify(setting)}, although it was set to ${wanted[name]}`)
}

/** The timeouts of a role end: one of a millisecond would end everything. A SET takes less, mostly. */
export async function endTimeouts(client: pg.ClientBase): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query('set statement_timeout = 0')
      await client.query('set idle_in_transaction_session_timeout = 0')
      return
    } catch (error) {
      const state = error instanceof Error && 'code' in error ? error.code : undefined
      if (state !== TOO_LONG || attempt === ATTEMPTS) throw error
    }
  }
}
