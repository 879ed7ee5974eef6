import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makePool } from '../../src/store/connect.ts'
import { testDatabase, type TestDatabase } from '../database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

test('every session has the settings that billing relies on, whatever the database says', async () => {
  const { pool, name } = database
  await pool.query(`alter database ${name} set timezone = 'Asia/Shanghai'`)
  await pool.query(`alter database ${name} set default_transaction_isolation = 'serializable'`)
  await pool.query(`alter database ${name} set synchronous_commit = off`)
  const fresh = makePool(database.connection)
  const settings = ['timezone', 'default_transaction_isolation', 'synchronous_commit', 'statement_timeout']
  const others = ['lock_timeout', 'idle_in_transaction_session_timeout', 'application_name', 'fsync']
  const { rows } = await fresh.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from unnest($1::text[]) as name',
    [[...settings, ...others]],
  )
  await fresh.end()
  expect(Object.fromEntries(rows.map((row) => [row.name, row.value]))).toEqual({
    timezone: 'UTC',
    default_transaction_isolation: 'read committed',
    synchronous_commit: 'on',
    statement_timeout: '10min',
    lock_timeout: '0',
    idle_in_transaction_session_timeout: '1min',
    // The process is named with it: test/system/stopped-processes.test.ts.
    application_name: expect.stringMatching(/^farthing [0-9a-f]{12}$/) as unknown,
    fsync: 'on',
  })
})

test('whole numbers and decimals arrive as text, so that no digit is lost', async () => {
  const { rows } = await database.pool.query('select 9007199254740993 as big, 0.1234567890123456789 as exact')
  expect(rows).toEqual([{ big: '9007199254740993', exact: '0.1234567890123456789' }])
})

test('a session that is ended from outside, idle or in use, is reported and does not end the process', async () => {
  const reported: object[] = []
  const warn = (fields: object) => void reported.push(fields)
  const pool = makePool(database.connection, { max: 2, log: { info() {}, warn, error: warn } })
  const used = await pool.connect()
  await used.query('begin')
  const idle = await pool.connect()
  idle.release()
  const others = 'pid <> pg_backend_pid() and datname = current_database() and application_name like $1'
  await database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${others}`, [
    'farthing %',
  ])
  // What is seen of the end depends on who is first: its message, or the closed socket.
  await expect(used.query('select 1')).rejects.toThrow(/terminat|not queryable|EPIPE|ECONNRESET/)
  used.release(true)
  await sleep(50)
  expect(reported.length).toBeGreaterThanOrEqual(2)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await pool.end()
})
