import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { checkBackup } from '../../src/flows/backup/check-backup.ts'
import { start } from '../../src/serve.ts'
import { type Connection, openDatabase } from '../../src/store/connect.ts'
import { knownMigrations, migrate } from '../../src/store/migrate.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { packed } from '../unit/backup-handmade.ts'
import { restoreInto } from './backup-world.ts'
import { farthing } from './cli-run.ts'
import { quiet } from './deployment.ts'

/** Made by the schema of 0.1.0, as it was released. */
const OLD = readFileSync(new URL('database-0.1.0.sql', import.meta.url), 'utf8')
const OLD_MIGRATIONS = [...OLD.matchAll(/^insert into migration \(name\) values \('(.+)'\);$/gm)].map(
  ([, name]) => name!,
)
const REFUSAL =
  'This database was made by Farthing 0.1.0, whose bills follow other rules: set FARTHING_DATA_DIR to a new ' +
  'directory, or DATABASE_URL to an empty database, and import your events again. It was not changed: Farthing 0.1.0 ' +
  'still reads, verifies and backs it up.'

const folder = mkdtempSync(join(tmpdir(), 'farthing-rules-'))
// As root PostgreSQL runs as another user, who must be able to enter.
chmodSync(folder, 0o711)
const databases: TestDatabase[] = []
afterAll(async () => {
  for (const database of databases) await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

async function withClient<Result>(connection: Connection, work: (sql: pg.Client) => Promise<Result>) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** @param further statements on the old database */
async function oldDatabase(further = ''): Promise<TestDatabase> {
  const database = await testDatabase()
  databases.push(database)
  const setUp = `drop schema farthing cascade; set search_path = public; ${OLD}; ${further}`
  await withClient(database.connection, (sql) => sql.query(setUp))
  return database
}

/** Every column and constraint, and every row of what says what the database is. */
async function everything(sql: { query(text: string): Promise<{ rows: unknown[] }> }): Promise<unknown> {
  const read = async (text: string) => (await sql.query(text)).rows
  return [
    await read(`select table_name, column_name, data_type from information_schema.columns
                 where table_schema = 'public' order by 1, ordinal_position`),
    await read(`select conrelid::regclass::text as name, pg_get_constraintdef(oid) as text from pg_constraint
                 where connamespace = 'public'::regnamespace order by 1, 2`),
    await read('select * from public.migration order by name'),
    await read('select * from public.deployment'),
    await read('select * from public.bill_line'),
  ]
}

// Guarantee: bills that followed another rule are neither changed nor mixed with those of this one.
describe('a database of Farthing 0.1.0', () => {
  test('is as that version made it: nine migrations, a deployment, and an amount of the other rule', async () => {
    const { pool } = await oldDatabase()
    expect(OLD_MIGRATIONS).toHaveLength(9)
    expect(OLD_MIGRATIONS[0]).toBe('0001-facts.sql')
    const { rows } = await pool.query('select quantity, unit_price, amount from public.bill_line')
    expect(rows).toEqual([{ quantity: '613822', unit_price: '0.0084', amount: '0.0859350800000028' }])
  })

  test('is refused by name when it is to be migrated, and left as it is', async () => {
    const { pool, connection } = await oldDatabase()
    const before = await everything(pool)
    expect(await migrate(connection)).toEqual({ ok: false, code: 'database/other_rules', detail: REFUSAL })
    expect(await everything(pool)).toEqual(before)
  })

  for (const [name, further] of [
    ['before its first start', 'delete from deployment'],
    ['with its first migration alone', `delete from migration where name > '0002'`],
    ['migrated further by a version between', `insert into migration (name) values ('0010-between.sql')`],
  ] as const) {
    test(`is refused ${name}, too`, async () => {
      const { pool, connection } = await oldDatabase(further)
      const before = await everything(pool)
      expect(await migrate(connection)).toMatchObject({ ok: false, code: 'database/other_rules' })
      expect(await everything(pool)).toEqual(before)
    })
  }

  // Its lines had no list price and no tier, so their digests are others.
  test('is refused under the name of 0.2.0 as well', async () => {
    const { pool, connection } = await oldDatabase(
      `update migration set name = '0001-facts-since-0.2.0.sql' where name = '0001-facts.sql'`,
    )
    const before = await everything(pool)
    expect(await migrate(connection)).toEqual({
      ok: false,
      code: 'database/other_rules',
      detail: REFUSAL.replaceAll('0.1.0', '0.2.0'),
    })
    expect(await everything(pool)).toEqual(before)
  })

  test('is refused when the server starts', async () => {
    const { connection } = await oldDatabase()
    const { host, port, user, database } = connection
    const url = `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`
    const env = { PORT: '0', DATABASE_URL: url, FARTHING_DATA_DIR: join(folder, 'start') }
    const read = readSettings(env, '/')
    if (!read.ok) throw new Error(read.detail)
    expect(await start(read.settings, quiet)).toMatchObject({ ok: false, code: 'database/other_rules' })
  })

  test('takes no backup of this version, even if nobody has started it', async () => {
    const path = join(folder, 'new.backup')
    writeFileSync(path, packed([]))
    const unstarted = await oldDatabase('delete from deployment')
    expect(await restoreInto(unstarted, path, join(folder, 'data'))).toMatchObject({
      ok: false,
      code: 'restore/other_schema',
      detail: expect.stringContaining('tables of Farthing 0.1.0') as string,
    })
    const started = await oldDatabase()
    expect(await restoreInto(started, path, join(folder, 'data'))).toMatchObject({
      code: 'restore/not_empty',
    })
  })

  test('is no newer one: a database with a migration that nobody knows is refused as that', async () => {
    const database = await testDatabase()
    databases.push(database)
    await database.pool.query(`insert into migration (name) values ('9999-later.sql')`)
    expect(await migrate(database.connection)).toMatchObject({ ok: false, code: 'database/newer_schema' })
  })
})

describe('a backup of Farthing 0.1.0', () => {
  const header = { farthing: '0.1.0', migrations: OLD_MIGRATIONS }
  const refused = {
    ok: false,
    code: 'backup/other_rules',
    detail:
      'The backup was made by Farthing 0.1.0, whose bills follow other rules: restore it with Farthing 0.1.0, ' +
      'or start with an empty database and import your events again.',
  }
  const path = join(folder, 'old.backup')
  beforeAll(() => writeFileSync(path, packed([], header)))

  test('is refused by name when it is restored, before anything is written', async () => {
    const database = await testDatabase()
    databases.push(database)
    expect(await restoreInto(database, path, join(folder, 'data'))).toEqual(refused)
    const { rows } = await database.pool.query('select name from migration order by name')
    expect(rows).toEqual(knownMigrations().map((name) => ({ name })))
  })

  test('is refused when it is checked: it cannot be restored here', async () => {
    expect(await checkBackup(path, () => {})).toEqual(refused)
  })
})

describe('a data directory of Farthing 0.1.0', () => {
  const dataDir = join(folder, 'old')
  const open = async <Result>(work: (sql: pg.Client) => Promise<Result>): Promise<Result> => {
    const opened = await openDatabase({ dataDir, log: quiet })
    if (!opened.ok) throw new Error(opened.detail)
    const result = await withClient(opened.database.connection, work)
    await opened.database.stop()
    return result
  }

  test('is refused by every command that works on it, with what to do, and left as it is', async () => {
    const before = await open(async (sql) => {
      await sql.query(OLD)
      return everything(sql)
    })
    const file = join(folder, 'none.backup')
    for (const command of [['serve'], ['verify'], ['settle'], ['settle', '--now'], ['backup', file]]) {
      const run = await farthing(command, { env: { FARTHING_DATA_DIR: dataDir, PORT: '0' } })
      expect([command, run.code, run.stdout]).toEqual([command, 1, ''])
      expect(run.stderr).toContain(`farthing: ${REFUSAL}\n`)
    }
    expect(existsSync(file)).toBe(false)
    expect(await open(everything)).toEqual(before)
  })
})
