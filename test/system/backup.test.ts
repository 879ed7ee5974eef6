import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { packIntoFile } from '../../src/flows/backup/backup-file.ts'
import { checkBackup } from '../../src/flows/backup/check-backup.ts'
import { type RestoredBackup } from '../../src/flows/backup/restore-backup.ts'
import { writeBackup } from '../../src/flows/backup/write-backup.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { readAdminKey } from '../../src/flows/keys/admin-key-file.ts'
import { makeKeyRing } from '../../src/flows/keys/find-key.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { BACKED_UP, LEFT_OUT } from '../../src/store/backed-up-tables.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import {
  at,
  call,
  contents,
  everyKindOfFact,
  FIRST,
  level,
  mustBe,
  restoreInto,
  save,
} from './backup-world.ts'
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
      where relnamespace = 'farthing'::regnamespace and relkind in ('r', 'p', 'm', 'S') and not relispartition`,
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

/** Rows that a restore adds. */
const ADDED: Readonly<Record<string, number>> = {
  api_key: 1,
  // Its key, the restore, and the log that it continues.
  audit_entry: 3,
  log_tree: 1,
  log_leaf: 1,
  log_tile: 1,
  log_checkpoint: 1,
  // Those three entries, and what no checkpoint of the old tree covers.
  log_pending: 6,
}

describe('a database that is backed up and restored', () => {
  let restored: TestDatabase
  const dataDir = join(folder, 'restored')
  beforeAll(async () => {
    restored = await testDatabase()
    mustBe(await restoreInto(restored, FILE, dataDir))
  })
  afterAll(() => restored.drop())

  test('has every row as it was, and besides only its admin key, and the notes of that and of the restore', async () => {
    const [before, after] = [await contents(deployed.pool), await contents(restored.pool)]
    for (const { table } of BACKED_UP) {
      const added = ADDED[table] ?? 0
      const [was, is] = [before.get(table)!, after.get(table)!]
      expect([table, is.length]).toEqual([table, was.length + added])
      expect(is.filter((row) => !was.includes(row))).toHaveLength(added)
    }
    expect(after.get('audit_entry')!.join()).toContain('database/restore')
  })

  test('was not empty to begin with', async () => {
    const empty = [...(await contents(deployed.pool))].filter(([, rows]) => rows.length === 0)
    // What only features of their own can fill is tested with them.
    const own = ['set_aside', 'account_profile', 'manifest', 'accepted_type', 'voided_event']
    expect(new Set(empty.map(([table]) => table))).toEqual(new Set(own))
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
    // The row that stands for a release was made up.
    await restored.pool.query('delete from released_event')
    await settleAll(restored)
    expect(await newest(restored)).toBeGreaterThan(billed)
    const numbers = await restored.pool.query<{ number: string }>(
      'select number from refused_event order by number',
    )
    expect(new Set(numbers.rows).size).toBe(numbers.rows.length)
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
  expect(await restore(restored, path)).toMatchObject({ ok: true })
})

/** A backup of which much happens between any two tables. */
async function saveSlowly({ pool }: Deployment, path: string): Promise<void> {
  const backup = writeBackup({
    pool,
    farthing: '0.3.0',
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
    expect(await restore(restored, path)).toMatchObject({ ok: true })
    expect(await differences(restored.pool)).toEqual([])
    await settleAll(restored)
    expect(await differences(restored.pool)).toEqual([])
  }
  await busy.close()
})

test('a settlement pass on a restored database is no different', async () => {
  expect(readFileSync(FILE).length).toBeGreaterThan(1_000)
  const restored = await emptyDatabase()
  await restore(restored, FILE)
  const { pool } = restored
  const pass = {
    graceMs: 600_000,
    backfillQuietMs: 0,
    identityWindowMs: 62 * 86_400_000,
    stopping: () => false,
  }
  expect(await settlePass({ pool, ...pass })).toBeGreaterThanOrEqual(1)
})
