import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Connection, makePool, openDatabase } from '../../src/store/connect.ts'
import { SESSION } from '../../src/store/embedded/session-settings.ts'
import { makeReadingPool } from '../../src/store/reading-pool.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { farthing } from './cli-run.ts'
import { quiet } from './deployment.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

/** Guarantee: whatever a role or a database is set to, a statement means the same and answers the same. */

const ROLE = `hostile_${process.pid}`
/** Each alone, and all of them at once. */
const HOSTILE: Readonly<Record<string, string>> = {
  datestyle: `'SQL, DMY'`,
  intervalstyle: `'sql_standard'`,
  timezone: `'Pacific/Chatham'`,
  search_path: 'nowhere',
  statement_timeout: '1',
  lock_timeout: '1',
  idle_in_transaction_session_timeout: '1',
  default_transaction_read_only: 'on',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  transform_null_equals: 'on',
  array_nulls: 'off',
  row_security: 'on',
  exit_on_error: 'on',
  synchronous_commit: 'off',
  lc_numeric: `'C.UTF-8'`,
  client_min_messages: 'debug1',
  session_replication_role: 'origin',
}

let server: TestServer
let database: TestDatabase
const folder = mkdtempSync(join(tmpdir(), 'farthing-settings-'))

beforeAll(async () => {
  database = await testDatabase()
  await database.pool.query(`create role ${ROLE} login superuser`)
  server = await testServer({ through: (connection) => ({ ...connection, user: ROLE }) })
})
afterAll(async () => {
  await server.close()
  await database.pool.query(`drop owned by ${ROLE}; drop role ${ROLE}`)
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** Sessions that begin meanwhile are of a role with these settings, everywhere and in the test's database. */
async function asHostile<Result>(
  settings: Readonly<Record<string, string>>,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { pool, connection, name } = database
  const statements = Object.entries(settings).map(
    ([setting, value]) =>
      `alter role ${ROLE} set ${setting} = ${value}; alter role ${ROLE} in database ${name} set ${setting} = ${value}`,
  )
  await pool.query(statements.join('; '))
  try {
    return await work({ ...connection, user: ROLE })
  } finally {
    await pool.query(`alter role ${ROLE} reset all; alter role ${ROLE} in database ${name} reset all`)
  }
}

describe('a session', () => {
  for (const [setting, value] of [...Object.entries(HOSTILE), ['all of them', ''] as const]) {
    test(`is set as Farthing needs it, whatever its role has: ${setting}`, async () => {
      await asHostile(value === '' ? HOSTILE : { [setting]: value }, async (connection) => {
        const pool = makePool(connection, { max: 1 })
        const reading = makeReadingPool(connection, { max: 1 })
        const held = async (asked: typeof pool) => {
          const { rows } = await asked.query<{ name: string; setting: string }>(
            'select lower(name) as name, setting from pg_settings where lower(name) = any ($1)',
            [Object.keys(SESSION)],
          )
          return Object.fromEntries(rows.map((row) => [row.name, row.setting]))
        }
        try {
          expect(SESSION).toMatchObject(await held(pool))
          const limited = { default_transaction_read_only: 'on', statement_timeout: '30000' }
          expect({ ...SESSION, ...limited }).toMatchObject(await held(reading))
          await expect(reading.query('create table t ()')).rejects.toMatchObject({ code: '25006' })
        } finally {
          await Promise.all([pool.end(), reading.end()])
        }
      })
    })
  }
})

test('all routes answer a hostile role as they answer any other', async () => {
  await asHostile(HOSTILE, async () => {
    expect(
      await server.send([requestEvent('1'), requestEvent('2', { time: '2025-05-06T07:08:09Z' })]),
    ).toMatchObject({
      status: 200,
      json: { accepted: 2 },
    })
    await server.settle()
    const paths = [
      'keys',
      'bills',
      'cycles',
      'sources',
      'accounts',
      'held-events',
      'refused-events',
      'audit-log',
    ]
    for (const path of paths) {
      const { status, json } = await server.ask(`/v1/${path}`)
      expect([path, status, Array.isArray(json.items)]).toEqual([path, 200, true])
    }
    const { json: keys } = await server.ask('/v1/keys')
    expect(Math.abs(Date.parse(keys.items[0].createdAt) - Date.now())).toBeLessThan(120_000)
    const { json: bills } = await server.ask('/v1/bills')
    expect(bills.items[0].cycle.from).toBe('2025-05-06T07:00:00Z')
  })
})

test('a hostile role passes the checks of a start, and its database is verified', async () => {
  await asHostile(HOSTILE, async ({ host, port, user, database: name }) => {
    const url = `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port}`
    expect(await openDatabase({ databaseUrl: url, dataDir: folder, log: quiet })).toMatchObject({ ok: true })
    const settled = await farthing(['migrate', '--json'], {
      env: { DATABASE_URL: url, FARTHING_DATA_DIR: folder },
    })
    expect([settled.code, settled.stderr, JSON.parse(settled.stdout)]).toEqual([
      0,
      '',
      { applied: [], moved: false, schema: 'farthing' },
    ])
  })
})
