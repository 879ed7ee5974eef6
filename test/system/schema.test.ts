import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { verify } from '../../src/flows/verify/verify.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { makePool } from '../../src/store/connect.ts'
import { knownMigrations, migrate } from '../../src/store/migrate.ts'
import { madeBy, migrationText } from '../../src/store/migrations.ts'
import { checkSchema } from '../../src/store/schema-state.ts'
import { MIN_WRITER, ownWriter } from '../../src/store/writer.ts'
import { at, call, FIRST, level } from './backup-world.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { farthing, PROGRAM, surroundings } from './cli-run.ts'
import { type Deployment, deployment } from './deployment.ts'

/** Guarantee: there is one ledger in a database, in the schema `farthing`, and what stands in its way is one sentence. */

const folder = mkdtempSync(join(tmpdir(), 'farthing-schema-'))
const databases: TestDatabase[] = []
afterAll(async () => {
  for (const database of databases) await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** @param setUp statements on a database without Farthing's schema, by its owner */
async function database(setUp = ''): Promise<TestDatabase> {
  const made = await testDatabase()
  databases.push(made)
  await made.pool.query(`drop schema farthing cascade; ${setUp}`)
  return made
}

/** A deployment with bills. */
async function billed(): Promise<Deployment> {
  const deployed = await deployment(FIRST)
  await deployed.send([call('acme', '1', at(FIRST, 5)), level('globex', 'l', at(FIRST, 30), '123456789')])
  await deployed.settle()
  await deployed.send([call('acme', 'late', at(FIRST, 20))])
  await deployed.settle()
  return deployed
}

/** As in a database from before Farthing had a schema of its own, with the migrations of then. */
const IN_PUBLIC = `set search_path = public;
  create table migration (name text primary key, applied_at timestamptz not null default now());
  ${knownMigrations()
    .filter((name) => Number.parseInt(name, 10) < MIN_WRITER)
    .map((name) => `${migrationText(name)}; insert into migration (name) values ('${name}');`)
    .join('\n')}
  reset search_path;`

async function namesIn({ pool }: TestDatabase, schema: string): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p', 'S', 'i', 'I')
      union all select proname from pg_proc where pronamespace = $1::regnamespace order by 1`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

async function differences(pool: pg.Pool): Promise<readonly unknown[]> {
  const found = []
  const range = { account: undefined, from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => {} }
  for await (const difference of verify(pool, range)) found.push(difference)
  return found
}

function urlOf({ connection }: TestDatabase, user = connection.user): string {
  const { host, port, database: name } = connection
  return `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port}`
}

function run(args: readonly string[], DATABASE_URL: string) {
  return farthing(args, { env: { DATABASE_URL, FARTHING_DATA_DIR: join(folder, 'data'), PORT: '0' } })
}

describe('the schema', () => {
  test('is made, or one that was made beforehand is used', async () => {
    for (const setUp of ['', 'create schema farthing']) {
      const made = await database(setUp)
      expect(await migrate(made.connection)).toEqual({ ok: true, applied: knownMigrations(), moved: false })
      expect(await namesIn(made, 'public')).toEqual([])
      expect(await migrate(made.connection)).toEqual({ ok: true, applied: [], moved: false })
    }
  })

  test('of a version before, with bills, is moved out of public, whole, and verifies', async () => {
    const deployed = await billed()
    databases.push(deployed)
    const { pool, connection } = deployed
    const before = await namesIn(deployed, 'farthing')
    // What is in `farthing` goes where a version before has it.
    const { rows } = await pool.query<{ statement: string }>(`
      select format('alter table farthing.%I set schema public', relname) as statement from pg_class
       where relnamespace = 'farthing'::regnamespace and relkind in ('r', 'p')
      union all
      select format('alter function farthing.%I(%s) set schema public', proname, pg_get_function_identity_arguments(oid))
        from pg_proc where pronamespace = 'farthing'::regnamespace`)
    for (const { statement } of rows) await pool.query(statement)
    await pool.query('create table public.of_another_program (); drop schema farthing')
    expect(await checkSchema(pool)).toMatchObject({ ok: false, code: 'database/older_schema' })
    expect(await migrate(connection)).toEqual({ ok: true, applied: [], moved: true })
    expect(await namesIn(deployed, 'farthing')).toEqual(before)
    expect(await namesIn(deployed, 'public')).toEqual(['of_another_program'])
    expect(await differences(pool)).toEqual([])
    expect(await deployed.settle()).toBeGreaterThanOrEqual(0)
  })

  test('with the migrations of before is moved, and brought up to date in the same transaction', async () => {
    const made = await database(IN_PUBLIC)
    const migrated = await migrate(made.connection)
    expect(migrated).toMatchObject({ ok: true, moved: true })
    expect(await namesIn(made, 'public')).toEqual([])
    expect(await checkSchema(made.pool)).toMatchObject({ ok: true, schema: 'farthing' })
  })

  test('is known by what its migrations make', () => {
    const all = knownMigrations().map(migrationText).join('\n')
    const made = madeBy(knownMigrations())
    expect(made.length).toBeGreaterThan(30)
    expect(
      all.match(
        /^\s*create (?:or replace )?(?:unlogged |temp )?(?:table|function|view|type|sequence|procedure)/gim,
      )!.length,
    ).toBeGreaterThanOrEqual(made.length)
    expect(all).not.toMatch(
      /^\s*create (?:unlogged|materialized|view|type|sequence|procedure|domain|trigger)/im,
    )
  })
})

describe('what stands in the way is one sentence', () => {
  let count = 0
  const CASES: readonly (readonly [string, string, string, RegExp])[] = [
    ['no right to make a schema', '', 'database/rights', /create schema if not exists farthing; grant/],
    [
      'a schema of somebody else',
      `create schema farthing`,
      'database/rights',
      /grant usage, create on schema farthing/,
    ],
    [
      'tables of another role',
      IN_PUBLIC,
      'database/rights',
      /belong to farthing, and poor_\w+ may not read them: connect as/,
    ],
    [
      'tables of another role that can be read',
      `${IN_PUBLIC} grant select on all tables in schema public to ROLE; grant create on database DATABASE to ROLE`,
      'database/rights',
      /Tables of an older version are changed by their owner alone/,
    ],
    [
      'a table of another program',
      `create schema farthing authorization ROLE; create table farthing.bill (x int)`,
      'database/foreign_table',
      /something of another program \(relation "bill" already exists\): drop or rename it/,
    ],
    [
      'a table of migrations of another program',
      `create schema farthing authorization ROLE; create table farthing.migration (version int)`,
      'database/foreign_table',
      /relation "migration" already exists/,
    ],
    [
      'both schemas',
      `${IN_PUBLIC} create schema farthing; ${IN_PUBLIC.replace('search_path = public', 'search_path = farthing')}`,
      'database/two_schemas',
      /twice, in the schemas farthing and public/,
    ],
  ]
  for (const [name, setUpBy, code, says] of CASES) {
    const role = `poor_${process.pid}_${(count += 1)}`
    const setUp = setUpBy.replaceAll('ROLE', role)
    test(`${name}: and nothing is changed`, async () => {
      const made = await database()
      await made.pool.query(`create role ${role} login`)
      const client = new pg.Client({ ...made.connection })
      client.on('error', () => {})
      await client.connect()
      await client.query(setUp.replaceAll('DATABASE', made.name))
      const before = [await namesIn(made, 'public')]
      const outcome = await migrate({ ...made.connection, user: role })
      expect(outcome).toMatchObject({ ok: false, code, detail: expect.stringMatching(says) as string })
      expect([await namesIn(made, 'public')]).toEqual(before)
      const served = await run(['serve'], urlOf(made, role))
      expect([served.code, served.stdout, served.stderr.split('\n').length]).toEqual([1, '', 2])
      expect(served.stderr).toMatch(says)
      await client.query(`drop owned by ${role} cascade; drop role ${role}`)
      await client.end()
    })
  }

  test('a table of another program in public is left alone', async () => {
    const made = await database(
      'create table public.migration (version int); create table public.bill (x int)',
    )
    expect(await migrate(made.connection)).toMatchObject({ ok: true, moved: false })
    expect(await namesIn(made, 'public')).toEqual(['bill', 'migration'])
  })

  test('a lock that somebody holds: who it is, and since when', async () => {
    const made = await database()
    const holder = new pg.Client({ ...made.connection, application_name: 'somebody' })
    await holder.connect()
    await holder.query(`select pg_advisory_lock(hashtext('farthing.migrations'))`)
    const said: string[] = []
    const log = { info() {}, warn: (_: object, text: string) => void said.push(text), error() {} }
    const abort = new AbortController()
    const waiting = migrate(made.connection, { log, signal: abort.signal }).catch((error: unknown) => error)
    await expect.poll(() => said, { timeout: 20_000 }).toHaveLength(1)
    expect(said[0]).toMatch(
      /^The migration waits for session \d+ \("somebody" of role farthing, since \d{4}-.*Z\)$/,
    )
    const begun = performance.now()
    abort.abort()
    expect(await waiting).toMatchObject({ name: 'AbortError' })
    expect(performance.now() - begun).toBeLessThan(5_000)
    await holder.end()
    expect(await namesIn(made, 'public')).toEqual([])
    expect(await migrate(made.connection)).toMatchObject({ ok: true })
  })
})

describe('a signal during a migration that takes long', () => {
  /** Each table that is made takes a minute. */
  const SLOW = `create function public.wait_long() returns event_trigger language plpgsql
      as $$ begin perform pg_sleep(60); end $$;
    create event trigger slow on ddl_command_end when tag in ('CREATE TABLE') execute function public.wait_long()`

  /** Sessions of Farthing in the database, and those of them that wait within a migration. */
  async function sessions({ pool, name }: TestDatabase): Promise<readonly [all: number, slow: number]> {
    const { rows } = await pool.query<{ all: number; slow: number }>(
      `select count(*)::int as all, (count(*) filter (where wait_event = 'PgSleep'))::int as slow
         from pg_stat_activity where datname = $1 and application_name like 'farthing-%' and application_name not like 'farthing-test%'`,
      [name],
    )
    return [rows[0]!.all, rows[0]!.slow]
  }

  test.each(['serve', 'migrate'])('ends %s cleanly, and the next one goes on', async (command) => {
    const made = await database(SLOW)
    const settings = { DATABASE_URL: urlOf(made), FARTHING_DATA_DIR: join(folder, command), PORT: '0' }
    const child = spawn(process.execPath, [PROGRAM, command], { env: surroundings(settings) })
    let stderr = ''
    child.stderr.on('data', (text) => (stderr += String(text)))
    const ended = once(child, 'close')
    await expect.poll(async () => (await sessions(made))[1], { timeout: 60_000 }).toBe(1)
    child.kill('SIGTERM')
    const begun = performance.now()
    const [code, signal] = (await ended) as [number | null, string | null]
    expect(performance.now() - begun).toBeLessThan(30_000)
    expect({ code: code ?? signal, stderr }).toMatchObject(
      command === 'serve'
        ? { code: 0, stderr: expect.not.stringMatching(/ at .*:\d+/) as string }
        : { code: 130 },
    )
    await expect.poll(() => sessions(made), { timeout: 20_000 }).toEqual([0, 0])
    const { rows } = await made.pool.query(`select from pg_namespace where nspname = 'farthing'`)
    expect(rows).toEqual([])
    await made.pool.query('drop event trigger slow')
    expect(await run(['migrate', '--json'], urlOf(made))).toMatchObject({ code: 0 })
    expect(await checkSchema(made.pool)).toMatchObject({ ok: true, schema: 'farthing' })
  })
})

test('a role that becomes another one at its login has the rights of that one', async () => {
  const made = await database()
  const [login, owner, poor] = ['login', 'owner', 'poor'].map((name) => `${name}_${process.pid}`)
  await made.pool.query(`create role ${login} login; create role ${owner}; create role ${poor};
    grant ${owner}, ${poor} to ${login}; grant create on database ${made.name} to ${owner}`)
  const connection = { ...made.connection, user: login! }
  try {
    await made.pool.query(`alter role ${login} set role = ${owner}`)
    expect(await migrate(connection)).toMatchObject({ ok: true, applied: knownMigrations() })
    const { rows } = await made.pool.query(
      `select distinct pg_get_userbyid(relowner) as owner from pg_class
        where relnamespace = 'farthing'::regnamespace and relkind in ('r', 'p')`,
    )
    expect(rows).toEqual([{ owner }])
    const pool = makePool(connection, { max: 1 })
    expect(await checkSchema(pool)).toMatchObject({ ok: true, schema: 'farthing' })
    await pool.end()
    // One that may do nothing is named, not the one that has logged in.
    await made.pool.query(`alter role ${login} set role = ${poor}`)
    const refused = await migrate(connection)
    expect(refused).toMatchObject({ ok: false, code: 'database/rights' })
    expect(JSON.stringify(refused)).toContain(poor)
    const served = await run(['serve'], urlOf(made, login))
    expect([served.code, served.stdout, served.stderr.split('\n').length]).toEqual([1, '', 2])
    expect(served.stderr).toContain(poor)
  } finally {
    await made.pool.query(`drop owned by ${owner} cascade; drop role ${login}, ${owner}, ${poor}`)
  }
})

describe('commands', () => {
  test('leave an older or missing schema as it is, and say what to run', async () => {
    const older = await database(IN_PUBLIC)
    const missing = await database()
    for (const command of [['verify'], ['settle'], ['backup', join(folder, 'none.backup')]]) {
      const run1 = await run(command, urlOf(older))
      expect([command, run1.code, run1.stdout]).toEqual([command, 1, ''])
      expect(run1.stderr).toMatch(/is of an older version of Farthing: run `farthing migrate`/)
      const run2 = await run(command, urlOf(missing))
      expect([command, run2.code, run2.stdout]).toEqual([command, 1, ''])
      expect(run2.stderr).toMatch(/There is nothing of Farthing in the database: start the server once/)
    }
    const { rows } = await missing.pool.query(`select from pg_namespace where nspname = 'farthing'`)
    expect(rows).toEqual([])
    const { code, stdout } = await run(['migrate'], urlOf(older))
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Moved the tables[^]*Applied 0080-log\.sql/)])
    const again = await run(['migrate', '--json'], urlOf(older))
    expect(JSON.parse(again.stdout)).toEqual({ applied: [], moved: false, schema: 'farthing' })
  })

  test('verify and backup need no rights but to read', async () => {
    const deployed = await billed()
    databases.push(deployed)
    const { pool, name } = deployed
    const role = `reader_${process.pid}`
    await pool.query(`create role ${role} login; grant connect on database ${name} to ${role};
      grant usage on schema farthing to ${role}; grant select on all tables in schema farthing to ${role};
      grant select on all sequences in schema farthing to ${role}`)
    try {
      const verified = await run(['verify'], urlOf(deployed, role))
      expect([verified.code, verified.stderr]).toEqual([0, ''])
      expect(verified.stdout).toMatch(/no differences/)
      const file = join(folder, 'read.backup')
      expect(await run(['backup', file], urlOf(deployed, role))).toMatchObject({ code: 0 })
      const served = await run(['serve'], urlOf(deployed, role))
      expect([served.code, served.stdout]).toEqual([1, ''])
      expect(served.stderr.trim()).toMatch(/^farthing: The database refuses \(permission denied[^\n]*$/m)
    } finally {
      await pool.query(`drop owned by ${role}; drop role ${role}`)
    }
  })
})

test('writers below the watermark are turned away from everything that writes', async () => {
  const deployed = await billed()
  databases.push(deployed)
  await deployed.pool.query('update deployment set min_writer = $1', [ownWriter() + 1])
  await expect(deployed.settle()).rejects.toThrow(/start a newer Farthing/)
  const pool = makePool(deployed.connection, { max: 1 })
  await pool.query('update deployment set min_writer = $1', [ownWriter()])
  await pool.end()
  await deployed.settle()
})
