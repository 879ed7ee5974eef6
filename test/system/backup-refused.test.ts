import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Instant } from '../../src/core/time/instant.ts'
import { type RestoredBackup, restoreBackup } from '../../src/flows/backup/restore-backup.ts'
import { readAdminKey } from '../../src/flows/keys/admin-key-file.ts'
import { makeKeyRing } from '../../src/flows/keys/find-key.ts'
import { firstStart } from '../../src/flows/start/first-start.ts'
import { knownMigrations, migrate } from '../../src/store/migrate.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { contents, everyKindOfFact, FIRST, mustBe, restoreInto, save } from './backup-world.ts'
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

function restore(target: TestDatabase, from: string): Promise<RestoredBackup> {
  return restoreInto(target, from, join(folder, 'data'))
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

describe('a target that is not empty', () => {
  test('is left as it is', async () => {
    const other = await deployment(FIRST)
    const before = await contents(other.pool)
    const outcome = await restore(other, FILE)
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
    const outcomes = await Promise.all([restore(target, FILE), restore(target, FILE)])
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
    await pool.query('drop schema farthing cascade')
    const path = join(folder, 'older.backup')
    const older = knownMigrations().slice(0, 3)
    writeFileSync(path, packed([deployments], { migrations: older }))
    expect(await restore(target, path)).toMatchObject({ ok: true, summary: { rows: 1 } })
    expect(await migrationsOf(target)).toEqual(knownMigrations())
    const { rows } = await pool.query('select first_hour, accounts_version from deployment')
    expect(rows).toEqual([{ first_hour: 490_000, accounts_version: 0 }])
  })

  test('of an empty database that is ahead of the backup is refused, before anything is written', async () => {
    const target = await emptyDatabase()
    const path = join(folder, 'behind.backup')
    writeFileSync(path, packed([deployments], { migrations: knownMigrations().slice(0, 3) }))
    expect(await restore(target, path)).toMatchObject({ ok: false, code: 'restore/other_schema' })
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
      const refused = await restore(target, path)
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
      const refused = await restore(target, path)
      expect(refused).toMatchObject({ ok: false, code: 'restore/unfit' })
      expect(refused.ok ? '' : refused.detail).toContain(says)
      await expectEmpty(target)
    })
  }

  test('is migrated by the restore of a database that nobody has touched', async () => {
    const target = await emptyDatabase()
    await target.pool.query('drop schema farthing cascade')
    expect(await restore(target, FILE)).toMatchObject({ ok: true })
    expect(await migrate(target.connection)).toEqual({ ok: true, applied: [], moved: false })
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
