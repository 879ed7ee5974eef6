import { afterAll, beforeAll, expect, test } from 'vitest'
import type pg from 'pg'
import { lockSnapshot } from '../../src/store/backup.ts'
import { run } from '../../src/store/query.ts'
import { releasingLocks, transaction } from '../../src/store/transaction.ts'
import { insertEventTable } from '../../src/store/usage-events.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { testDatabase, type TestDatabase } from '../database.ts'

// Guarantee: a transaction that reads many tables one after the other keeps few of them locked, and sees one moment.

const FIRST = (24 * 20_000) as Hour
const DAYS = 12

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  // Younger than 400 days by the database's clock or not: each hour has a table, however many share it.
  for (let day = 0; day < DAYS; day++) await run(database.pool, insertEventTable, { hour: hourOf(day) })
})
afterAll(() => database.drop())

function hourOf(index: number): Hour {
  return (FIRST + index * 24 * 31) as Hour
}

async function locks(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query<{ locks: number }>(
    `select count(*)::int as locks from pg_locks l join pg_class c on c.oid = l.relation
      where pid = pg_backend_pid() and locktype = 'relation' and c.relname like 'usage_event_%'`,
  )
  return rows[0]!.locks
}

const read = (client: pg.PoolClient, index: number) =>
  client.query('select count(*)::int as events from usage_event where hour = $1', [hourOf(index)])

test('without it each table stays locked, with it none does', async () => {
  await transaction(database.pool, async (client) => {
    await run(client, lockSnapshot, undefined)
    const counts: number[] = []
    for (let index = 0; index < DAYS; index++) {
      await releasingLocks(client, () => read(client, index))
      counts.push(await locks(client))
    }
    expect(new Set(counts)).toEqual(new Set([counts[0]]))
    for (let index = 0; index < DAYS; index++) await read(client, index)
    expect(await locks(client)).toBeGreaterThanOrEqual(counts[0]! + DAYS)
  })
})

test('what was seen stays as it was, also within another one', async () => {
  await transaction(database.pool, async (client) => {
    await run(client, lockSnapshot, undefined)
    const before = await releasingLocks(client, () => read(client, 0))
    const at = hourOf(0) * 3_600_000
    await database.pool.query(
      `insert into usage_event (at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data)
       values ($1::bigint, now(), $2, $2, 0, 0, 'a', 'i', 's', 't', '{}')`,
      [at, hourOf(0)],
    )
    const after = await releasingLocks(client, () => releasingLocks(client, () => read(client, 0)))
    expect(after.rows).toEqual(before.rows)
  })
})

test('what a writer has written before stays, and a failure comes out', async () => {
  await transaction(database.pool, async (client) => {
    await client.query(`insert into accepted_type (type) values ('kept')`)
    await releasingLocks(client, () => read(client, 1))
    const { rows } = await client.query(`select type from accepted_type where type = 'kept'`)
    expect(rows).toHaveLength(1)
  })
  const failing = transaction(database.pool, (client) =>
    releasingLocks(client, () => client.query('select 1 / 0')),
  )
  await expect(failing).rejects.toThrow('division by zero')
})

test('outside of a transaction it does nothing', async () => {
  const { rows } = await releasingLocks(database.pool, () => database.pool.query('select 1 as one'))
  expect(rows).toEqual([{ one: 1 }])
})
