import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Instant } from '../../src/core/time/instant.ts'
import { packIntoFile } from '../../src/flows/backup/backup-file.ts'
import { checkBackup } from '../../src/flows/backup/check-backup.ts'
import { type RestoredBackup, restoreBackup } from '../../src/flows/backup/restore-backup.ts'
import { type SavedBackup, saveBackup } from '../../src/flows/backup/save-backup.ts'
import { writeBackup } from '../../src/flows/backup/write-backup.ts'
import { createIngest } from '../../src/flows/ingest/ingest-events.ts'
import { readAdminKey } from '../../src/flows/keys/admin-key-file.ts'
import { makeKeyRing } from '../../src/flows/keys/find-key.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { firstStart } from '../../src/flows/start/first-start.ts'
import { BACKED_UP, LEFT_OUT } from '../../src/store/backed-up-tables.ts'
import { knownMigrations, migrate } from '../../src/store/migrate.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import { at, call, contents, everyKindOfFact, FIRST, level } from './backup-world.ts'
import { packed } from '../unit/backup-handmade.ts'
import { type Deployment, deployment, quiet } from './deployment.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-backup-'))
const FILE = join(folder, 'every.backup')

const databases: TestDatabase[] = []
afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop()
})

/** A database that was migrated, and never started. */
async function emptyDatabase(): Promise<TestDatabase> {
  const database = await testDatabase()
  databases.push(database)
  return database
}

function save({ pool }: Pick<Deployment, 'pool'>, to: string, foreign: string[] = []): Promise<SavedBackup> {
  return saveBackup({
    pool,
    to,
    farthing: '0.1.0',
    createdAt: '2026-01-02T03:04:05.678Z',
    onProgress: () => {},
    onForeignTable: (name) => foreign.push(name),
  })
}

function restoreInto(
  { connection, pool }: TestDatabase,
  from: string,
  dataDir = join(folder, 'data'),
): Promise<RestoredBackup> {
  const now = Date.now() as Instant
  return restoreBackup({ from, connection, pool, dataDir, now, actor: 'cli:test', onProgress: () => {} })
}

function mustBe(outcome: SavedBackup | RestoredBackup): void {
  if (!outcome.ok) throw new Error(outcome.detail)
}

/** Nothing is restored: there is no deployment, and no row in any table. */
async function expectEmpty({ pool }: TestDatabase): Promise<void> {
  expect([...(await contents(pool)).values()].flat()).toEqual([])
}

let deployed: Deployment
beforeAll(async () => {
  deployed = await everyKindOfFact()
  mustBe(await save(deployed, FILE))
})
afterAll(async () => {
  await deployed.close()
  rmSync(folder, { recursive: true, force: true })
})

test('no table of the database is unknown to the format', async () => {
  const { rows } = await deployed.pool.query<{ name: string; kind: string }>(
    `select relname as name, relkind as kind from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'S') and not relispartition`,
  )
  const tables = rows.filter(({ kind }) => kind !== 'S').map(({ name }) => name)
  const known = [...BACKED_UP.map(({ table }) => table), ...Object.keys(LEFT_OUT)]
  expect(tables.toSorted()).toEqual(known.toSorted())
  // Numbers come from columns that own their sequence: a sequence of its own would start again.
  const owned = await deployed.pool.query<{ name: string }>(
    `select s.relname as name from pg_class s join pg_depend d on d.objid = s.oid and d.deptype = 'i' where relkind = 'S'`,
  )
  const sequences = rows.filter(({ kind }) => kind === 'S').map(({ name }) => name)
  expect(sequences.toSorted()).toEqual(owned.rows.map(({ name }) => name).toSorted())
})

describe('a database that is backed up and restored', () => {
  let restored: TestDatabase
  const dataDir = join(folder, 'restored')
  beforeAll(async () => {
    restored = await testDatabase()
    mustBe(await restoreInto(restored, FILE, dataDir))
  })
  afterAll(() => restored.drop())

  test('has every row as it was, and besides only its admin key and the note of the restore', async () => {
    const [before, after] = [await contents(deployed.pool), await contents(restored.pool)]
    for (const { table } of BACKED_UP) {
      const added = table === 'api_key' || table === 'audit_entry' ? 1 : 0
      const [was, is] = [before.get(table)!, after.get(table)!]
      expect([table, is.length]).toEqual([table, was.length + added])
      expect(is.filter((row) => !was.includes(row))).toHaveLength(added)
    }
    expect(after.get('audit_entry')!.join()).toContain('database/restore')
  })

  test('was not empty to begin with', async () => {
    const empty = [...(await contents(deployed.pool))].filter(([, rows]) => rows.length === 0)
    // What only features of their own can fill is tested with them.
    expect(empty.map(([table]) => table)).toEqual(expect.not.arrayContaining(['bill', 'usage_event']))
    expect(empty.length).toBeLessThanOrEqual(4)
  })

  test('opens with the key in its data directory, and not with a revoked one', async () => {
    const key = await makeKeyRing(restored.pool).find(readAdminKey(dataDir)!)
    expect([...key!.scopes]).toEqual(['admin'])
  })

  test('goes on: numbers, sequences and chains are unbroken, and everything is verified', async () => {
    const ingest = await createIngest({ pool: restored.pool, log: quiet })
    const raw = [
      call('acme', 'after', at(FIRST + 3, 1)),
      call('acme', 'open', at(FIRST + 5, 0)),
      { specversion: '1.0' },
      level('umbrella', 'u', at(FIRST + 3, 1), '1'),
    ]
    const submitted = await ingest.submit(
      raw.map((one) => ({ raw: one })),
      undefined,
    )
    await ingest.close()
    const outcomes = submitted.ok ? submitted.results.map(({ outcome }) => outcome) : []
    expect(outcomes).toEqual(['accepted', 'duplicate', 'rejected', 'accepted'])
    const billed = await newest(restored)
    await settleAll(restored)
    expect(await newest(restored)).toBeGreaterThan(billed)
    const numbers = await restored.pool.query<{ number: string }>(
      'select number from refused_event order by number',
    )
    expect(new Set(numbers.rows).size).toBe(numbers.rows.length)
    // The row that stands for a release was made up.
    await restored.pool.query('delete from released_event')
    expect(await differences(restored.pool)).toEqual([])
  })
})

async function newest({ pool }: TestDatabase): Promise<number> {
  const { rows } = await pool.query<{ last: number }>(
    `select last_sequence::int as last from account where account = 'acme'`,
  )
  return rows[0]!.last
}

test('the same database gives the same rows again, and the digest can be made without Farthing', async () => {
  const summary = await checkBackup(FILE, () => {})
  const again = join(folder, 'again.backup')
  const saved = await save(deployed, again)
  expect(saved).toEqual({ ...summary, ok: true })
  expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([])
  expect(statSync(again).mode & 0o777).toBe(0o600)
  rmSync(again)
})

test('tables of others in the same database are named, and not backed up', async () => {
  await deployed.pool.query('create table somebodys (secret text)')
  const [path, foreign] = [join(folder, 'foreign.backup'), [] as string[]]
  expect(await save(deployed, path, foreign)).toMatchObject({ ok: true })
  await deployed.pool.query('drop table somebodys')
  expect(foreign).toEqual(['somebodys'])
  const restored = await emptyDatabase()
  expect(await restoreInto(restored, path)).toMatchObject({ ok: true })
})

/** A backup of which much happens between any two tables. */
async function saveSlowly({ pool }: Deployment, path: string): Promise<void> {
  const backup = writeBackup({
    pool,
    farthing: '0.1.0',
    createdAt: '2026-01-02T03:04:05.678Z',
    onProgress: () => {},
    onForeignTable: () => {},
    onEnd: () => {},
  })
  await packIntoFile(slowly(backup), path)
}

async function* slowly(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk
    await sleep(20)
  }
}

// Guarantee: a backup is one moment. No bill without its lines, no event without what it caused.
test('a backup that is taken while ingest and settlement run is consistent', async () => {
  const busy = await deployment(FIRST)
  const run = { stopping: false }
  const work = async (): Promise<number> => {
    let count = 0
    for (; !run.stopping; count++) {
      const hour = FIRST + (count % 5)
      const events = Array.from({ length: 40 }, (_, index) =>
        call(`account-${index % 7}`, `${count}-${index}`, at(hour, index)),
      )
      await busy.send([...events, level('account-1', `l${count}`, at(hour, count % 60), String(count))])
      await busy.settle({ graceMs: 3_600_000 * (4 - (count % 5)) })
    }
    return count
  }
  const working = work()
  const paths = [1, 2, 3].map((number) => join(folder, `busy-${number}.backup`))
  for (const path of paths) await saveSlowly(busy, path)
  run.stopping = true
  expect(await working).toBeGreaterThan(0)
  for (const path of paths) {
    const restored = await emptyDatabase()
    expect(await restoreInto(restored, path)).toMatchObject({ ok: true })
    expect(await differences(restored.pool)).toEqual([])
    await settleAll(restored)
    expect(await differences(restored.pool)).toEqual([])
  }
  await busy.close()
})

describe('a target that is not empty', () => {
  test('is left as it is', async () => {
    const other = await deployment(FIRST)
    const before = await contents(other.pool)
    const outcome = await restoreInto(other, FILE)
    expect(outcome).toMatchObject({ ok: false, code: 'restore/not_empty' })
    expect(await contents(other.pool)).toEqual(before)
    await other.close()
  })

  test('has a start of the server refused while a backup is being restored', async () => {
    const target = await emptyDatabase()
    let refused: unknown
    const slowly = restoreBackup({
      from: FILE,
      connection: target.connection,
      pool: target.pool,
      dataDir: join(folder, 'data'),
      now: Date.now() as Instant,
      actor: 'cli:test',
      onProgress(step) {
        if (step !== 'restoring' || refused) return
        refused = firstStart({ pool: target.pool, dataDir: folder, priceBook: undefined, log: quiet })
      },
    })
    expect(await slowly).toMatchObject({ ok: true })
    expect(await refused).toMatchObject({ ok: false, code: 'start/restoring' })
  })

  test('is one after the first of two restores at once', async () => {
    const target = await emptyDatabase()
    const outcomes = await Promise.all([restoreInto(target, FILE), restoreInto(target, FILE)])
    const codes = outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code))
    expect(codes.toSorted()[0]).toBe('ok')
    expect(['restore/busy', 'restore/not_empty']).toContain(codes.toSorted()[1])
  })
})

async function migrationsOf({ pool }: TestDatabase): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>('select name from migration order by name')
  return rows.map(({ name }) => name)
}

describe('the schema', () => {
  const deployments = {
    head: {
      table: 'deployment',
      columns: [
        'only_row',
        'first_hour',
        'sealed_until',
        'settled_until',
        'price_version',
        'currency',
        'demo',
      ],
    },
    rows: ['t\t490000\t490000\t490000\t1\tUSD\tt'],
  }
  test('of an older backup is made first, and migrated when its facts are there', async () => {
    const target = await emptyDatabase()
    const { pool } = target
    await pool.query('drop schema public cascade')
    await pool.query('create schema public')
    const path = join(folder, 'older.backup')
    const older = knownMigrations().slice(0, 3)
    writeFileSync(path, packed([deployments], { migrations: older }))
    expect(await restoreInto(target, path)).toMatchObject({ ok: true, summary: { rows: 1 } })
    expect(await migrationsOf(target)).toEqual(knownMigrations())
    const { rows } = await pool.query('select first_hour, accounts_version from deployment')
    expect(rows).toEqual([{ first_hour: 490_000, accounts_version: 0 }])
  })

  test('of an empty database that is ahead of the backup is refused, before anything is written', async () => {
    const target = await emptyDatabase()
    const path = join(folder, 'behind.backup')
    writeFileSync(path, packed([deployments], { migrations: knownMigrations().slice(0, 3) }))
    expect(await restoreInto(target, path)).toMatchObject({ ok: false, code: 'restore/other_schema' })
    await expectEmpty(target)
  })

  for (const [name, header, says] of [
    [
      'migration',
      { migrations: [...knownMigrations(), '9999-later.sql'], farthing: '7.1' },
      'Farthing 7.1, which has',
    ],
    [
      'format',
      { farthingBackup: 2, farthing: '9.0' },
      'format 2, and this version knows 1: use Farthing 9.0',
    ],
  ] as const) {
    test(`of a backup with a newer ${name} is refused by name`, async () => {
      const target = await emptyDatabase()
      const path = join(folder, 'newer.backup')
      writeFileSync(path, packed([], header))
      const refused = await restoreInto(target, path)
      expect(refused).toMatchObject({ ok: false, code: 'backup/newer_version' })
      expect(refused.ok ? '' : refused.detail).toContain(says)
      await expectEmpty(target)
    })
  }

  for (const [name, section, says] of [
    [
      'a table that it has not',
      { head: { table: 'pg_class', columns: ['oid'] }, rows: ['1'] },
      'a table "pg_class"',
    ],
    [
      'a column that it has not',
      { head: { table: 'cycle', columns: ['hour', 'x"y'] }, rows: ['1\t1'] },
      '(x"y)',
    ],
    [
      'a value that it refuses',
      { head: { table: 'bucket', columns: ['bucket', 'settled_until'] }, rows: ['a\t1'] },
      'refuses',
    ],
    [
      'a row that it refuses',
      { head: { table: 'bucket', columns: ['bucket', 'settled_until'] }, rows: ['256\t1'] },
      'refuses',
    ],
  ] as const) {
    test(`with ${name}: the file is refused, and nothing is restored`, async () => {
      const target = await emptyDatabase()
      const path = join(folder, 'unfit.backup')
      writeFileSync(path, packed([deployments, section]))
      const refused = await restoreInto(target, path)
      expect(refused).toMatchObject({ ok: false, code: 'restore/unfit' })
      expect(refused.ok ? '' : refused.detail).toContain(says)
      await expectEmpty(target)
    })
  }

  test('is migrated by the restore of a database that nobody has touched', async () => {
    const target = await emptyDatabase()
    await target.pool.query('drop schema public cascade')
    await target.pool.query('create schema public')
    expect(await restoreInto(target, FILE)).toMatchObject({ ok: true })
    expect(await migrate(target.connection)).toEqual({ ok: true, applied: [] })
  })
})

describe('the admin key in the data directory', () => {
  test('is used again, unless the backup knows it as revoked', async () => {
    const [first, second] = [await emptyDatabase(), await emptyDatabase()]
    const dataDir = join(folder, 'keys')
    await restoreInto(first, FILE, dataDir)
    const key = readAdminKey(dataDir)!
    await first.pool.query('update api_key set revoked_at = clock_timestamp()')
    const path = join(folder, 'revoked.backup')
    expect(await save(first, path)).toMatchObject({ ok: true })
    await restoreInto(second, path, dataDir)
    const other = readAdminKey(dataDir)!
    expect(other).not.toBe(key)
    const ring = makeKeyRing(second.pool)
    expect([await ring.find(key), (await ring.find(other))?.scopes.has('admin')]).toEqual([undefined, true])
    const third = await emptyDatabase()
    await restoreInto(third, FILE, dataDir)
    expect(readAdminKey(dataDir)).toBe(other)
    expect((await makeKeyRing(third.pool).find(other))?.scopes.has('admin')).toBe(true)
  })
})

test('a settlement pass on a restored database is no different', async () => {
  expect(readFileSync(FILE).length).toBeGreaterThan(1_000)
  const restored = await emptyDatabase()
  await restoreInto(restored, FILE)
  const { pool } = restored
  const pass = {
    graceMs: 600_000,
    historyQuietMs: 0,
    identityWindowMs: 62 * 86_400_000,
    stopping: () => false,
  }
  expect(await settlePass({ pool, ...pass })).toBeGreaterThanOrEqual(1)
})
