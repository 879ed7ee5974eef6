import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { lockSnapshot } from '../../src/store/backup.ts'
import { run } from '../../src/store/query.ts'
import { transaction } from '../../src/store/transaction.ts'
import { testDatabase } from '../database.ts'
import { graceUntil } from '../simulation/drive.ts'
import { mustBe, restoreInto, save } from './backup-world.ts'
import { quiet } from './deployment.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: usage of all days of six years needs few tables, and no transaction locks many of them: so all of it settles,
// verifies, and is backed up and restored on a PostgreSQL with its usual settings, while others are answered.

const DAY = 86_400_000
const YEARS_OF_DAYS = 2_200
/** A PostgreSQL with its usual settings has room for 64 x 100, of all sessions. */
const LOCKS_MAX = 800
const ALL = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }

const folder = mkdtempSync(join(tmpdir(), 'farthing-years-'))
const BOOK = `
priceBook: years
currency: USD
items:
  Query:
    component: request
    rates:
      default:
        operations: [SimpleQuery]
        unit: call
        per: 1
        billedStatuses: [1xx, 2xx, 3xx, 4xx]
        prices: [{ from: "2000-01-01T00:00:00Z", price: "0.5" }]
`

let server: TestServer
beforeAll(async () => {
  const priceBook = join(folder, 'book.yaml')
  writeFileSync(priceBook, BOOK)
  server = await testServer({ backfillReachMs: 400 * DAY, priceBook })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const today = Math.floor(Date.now() / DAY)

/** Days before today: half of those that have a table of their own, and some in each month before. Each would prove no more. */
const DAYS = Array.from({ length: YEARS_OF_DAYS }, (_, index) => index + 1).filter(
  (day) => day % (day <= 435 ? 2 : 10) === 0,
)

/** An event at noon of each day. */
function daily(account: string): readonly Json[] {
  return DAYS.map((day) => {
    const time = new Date((today - day) * DAY + DAY / 2).toISOString()
    return requestEvent(`${account}-${day}`, { subject: account, time }) as Json
  })
}

async function importAll(events: readonly Json[]): Promise<void> {
  const ingest = await createIngest({ pool: server.database.pool, log: quiet, backfillReachMs: 400 * DAY })
  const submitted = await ingest.submit(
    events.map((raw) => ({ raw })),
    undefined,
    { writer: 'six-years', sender: 'import' },
  )
  if (!submitted.ok) throw new Error(submitted.detail)
  expect(submitted.results.filter(({ outcome }) => outcome === 'rejected')).toEqual([])
  await ingest.close()
}

/** Whatever goes on: no session has many locks. */
async function expectFewLocks(work: () => Promise<unknown>): Promise<void> {
  let most = { locks: 0, query: '' }
  let isDone = false
  const watching = (async () => {
    while (!isDone) {
      const { rows } = await server.database.pool.query<{ locks: number; query: string }>(`
        select count(*)::int as locks, max(left(query, 60)) as query
          from pg_locks l join pg_stat_activity a using (pid)
         where locktype = 'relation' and pid <> pg_backend_pid() and datname = current_database()
         group by pid
         order by locks desc
         limit 1`)
      if (rows[0] && rows[0].locks > most.locks) most = rows[0]
      await sleep(5)
    }
  })()
  try {
    await work()
  } finally {
    isDone = true
    await watching
  }
  expect(most.locks < LOCKS_MAX ? 'few' : most).toBe('few')
}

async function tables(): Promise<number> {
  const { rows } = await server.database.pool.query<{ tables: number }>(
    'select count(*)::int as tables from event_tables()',
  )
  return rows[0]!.tables
}

const verifyAll = async (pool = server.database.pool) => {
  const found: unknown[] = []
  await transaction(pool, async (sql) => {
    await run(sql, lockSnapshot, undefined)
    for await (const one of verify(sql, ALL)) found.push(one)
  })
  return found
}

test('six years of daily usage: few tables, and no transaction that locks many', async () => {
  await importAll(daily('acme'))
  expect(await tables()).toBeLessThan(435 + 62)
  const days = await server.database.pool.query('select count(*)::int as hours from backfill_hour')
  expect(days.rows).toEqual([{ hours: DAYS.length }])

  // On no bill yet: a question about all of it.
  const from = new Date((today - YEARS_OF_DAYS) * DAY).toISOString()
  const open = `/v1/usage?account=acme&from=${from}&to=${new Date(today * DAY).toISOString()}&window=month`
  await expectFewLocks(async () => expect((await server.ask(open)).status).toBe(200))
  await expectFewLocks(async () => expect((await server.ask('/v1/storage?account=acme')).status).toBe(200))

  await expectFewLocks(() => server.settle())
  // The same again is late, all in one cycle, which reads and proves events of each day.
  const late = daily('acme').map((one, index) => ({ ...(one as object), id: `late-${index}` }))
  await importAll(late)
  const graceMs = graceUntil(Math.floor(Date.now() / 3_600_000) + 1)
  await expectFewLocks(() => server.settle({ graceMs }))

  const statuses: number[] = []
  await expectFewLocks(async () => {
    const asking = (async () => {
      for (let i = 0; i < 5; i++) {
        const { status } = await server.ask('/v1/events?account=other&id=nothing')
        statuses.push(status)
      }
    })()
    expect(await verifyAll()).toEqual([])
    await asking
  })
  expect(statuses).toEqual([200, 200, 200, 200, 200])
}, 300_000)

test('a backup of it locks few tables, and is restored', async () => {
  const file = join(folder, 'six-years.backup')
  await expectFewLocks(async () => mustBe(await save(server.database, file)))
  const target = await testDatabase()
  mustBe(await restoreInto(target, file, join(folder, 'restored')))
  expect(await verifyAll(target.pool)).toEqual([])
  await target.drop()
}, 300_000)
