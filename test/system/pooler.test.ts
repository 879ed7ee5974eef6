import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Log, openDatabase } from '../../src/store/connect.ts'
import { probeSessions } from '../../src/store/probe-sessions.ts'
import { makePool } from '../../src/store/connect.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { quiet } from './deployment.ts'
import { startPgbouncer, whyNoPgbouncer } from './pgbouncer.ts'
import { replacingProxy } from './replacing-proxy.ts'

/** Guarantee: what takes sessions, settings or locks away is refused by name before anything is stored through it. */

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

function open(databaseUrl: string, log: Log = quiet) {
  return openDatabase({ databaseUrl, dataDir: '/nowhere', log })
}

const whyNot = whyNoPgbouncer()

describe.skipIf(whyNot !== undefined)(`PgBouncer${whyNot ? ` (skipped: ${whyNot})` : ''}`, () => {
  const REFUSED = [
    ['transaction mode', { pool_mode: 'transaction' }],
    [
      'transaction mode, with a start-up parameter ignored',
      { pool_mode: 'transaction', ignore_startup_parameters: 'options' },
    ],
    [
      'transaction mode, with sessions taken in turns',
      { pool_mode: 'transaction', server_round_robin: 1, min_pool_size: 3 },
    ],
    ['transaction mode, with two sessions', { pool_mode: 'transaction', default_pool_size: 2 }],
    [
      'transaction mode, with a session reset each time',
      { pool_mode: 'transaction', server_reset_query_always: 1 },
    ],
    ['statement mode', { pool_mode: 'statement' }],
  ] as const
  for (const [name, settings] of REFUSED) {
    test(`in ${name} is refused by name`, async () => {
      const pooler = await reach(settings)
      try {
        // Sessions that others have left in the pool must not hide it.
        await warmUp(pooler.url)
        expect(await open(pooler.url)).toMatchObject({
          ok: false,
          code: 'database/transaction_pooling',
          detail: expect.stringMatching(/use session mode/) as string,
        })
      } finally {
        await pooler.stop()
      }
    })
  }

  for (const ignored of ['', 'options']) {
    test(`in session mode is taken, and its sessions are set (ignores "${ignored}")`, async () => {
      const pooler = await reach({ pool_mode: 'session', ignore_startup_parameters: ignored })
      try {
        const opened = await open(pooler.url)
        if (!opened.ok) throw new Error(opened.detail)
        const pool = makePool(opened.database.connection, { max: 2 })
        const { rows } = await pool.query(
          `select current_setting('synchronous_commit') as commit, current_setting('search_path') as path,
                  current_setting('statement_timeout') as timeout`,
        )
        await pool.end()
        expect(rows).toEqual([{ commit: 'on', path: 'farthing', timeout: '10min' }])
      } finally {
        await pooler.stop()
      }
    })
  }

  function reach(settings: Readonly<Record<string, string | number>>) {
    return startPgbouncer(database.connection, settings)
  }
})

async function warmUp(url: string): Promise<void> {
  const { default: pg } = await import('pg')
  const clients = [1, 2].map(() => new pg.Client({ connectionString: url }))
  for (const client of clients) {
    await client.connect()
    await client.query('select 1')
  }
  await Promise.all(clients.map((client) => client.end()))
}

describe('a server whose advisory locks', () => {
  const KINDS = [
    ['are always given', 'pg_try_advisory', `select true`],
    ['are never given', 'pg_try_advisory', `select false`],
    ['are not there', 'pg_try_advisory', undefined],
    ['are never given back', 'pg_advisory_unl', `select false`],
  ] as const
  for (const [name, call, body] of KINDS) {
    test(`${name} is refused by name`, async () => {
      const fake = call.replace('pg_', 'no_')
      for (const suffix of body === undefined ? [] : ENDINGS.filter((ending) => ending.startsWith(call))) {
        await database.pool.query(
          `create or replace function public.${suffix.replace('pg_', 'no_')}(bigint) returns boolean language sql as '${body}'`,
        )
      }
      const proxy = await replacingProxy(database.connection, call, fake)
      try {
        expect(await probeSessions(proxy.connection)).toMatchObject({ code: 'database/no_advisory_locks' })
      } finally {
        await proxy.stop()
        for (const ending of ENDINGS) {
          await database.pool.query(`drop function if exists public.${ending.replace('pg_', 'no_')}(bigint)`)
        }
      }
    })
  }

  test('hold is taken', async () => {
    const proxy = await replacingProxy(database.connection, 'pg_try_advisory', 'pg_try_advisory')
    expect(await probeSessions(proxy.connection)).toBeUndefined()
    await proxy.stop()
  })
})

const ENDINGS = [
  'pg_try_advisory_lock',
  'pg_try_advisory_lock_shared',
  'pg_try_advisory_xact_lock',
  'pg_try_advisory_xact_lock_shared',
  'pg_advisory_unlock',
  'pg_advisory_unlock_shared',
]

test('a setting that does not hold is refused by name', async () => {
  const proxy = await replacingProxy(database.connection, 'ISO, YMD', 'SQL, DMY')
  const failed = await probeSessions(proxy.connection)
  await proxy.stop()
  expect(failed).toMatchObject({ code: 'database/setting' })
})
