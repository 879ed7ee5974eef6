import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { sayClockIsRight } from '../../src/flows/settle/clock-watch.ts'
import { settleNow } from '../../src/flows/settle/settle-now.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { startBackgroundJobs } from '../../src/flows/background-jobs.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { makePool } from '../../src/store/connect.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'
import { makeClockMovable, movable, moveClock } from './moved-clock.ts'

// Guarantee: a database clock that jumps a day ahead seals nothing, and that is said; ingest goes on. A clock that goes
// back does no harm.

const now = hourOf(Date.now() as Instant)
const first = (now - 3) as Hour
const SETTINGS = { graceMs: 600_000, backfillQuietMs: 1_000, identityWindowMs: 62 * 86_400_000 }
/** More than two passes of a settler. */
const PASSES_MS = 2_500

let server: TestServer
let pool: ReturnType<typeof makePool>
const stops: (() => Promise<unknown>)[] = []
const logged: string[] = []
const note = (fields: object, text: string) => void logged.push(`${text} ${JSON.stringify(fields)}`)

function newSettler() {
  const log = {
    info: note,
    warn: note,
    error: (fields: object, text: string) => note(fields, `ERROR ${text}`),
  }
  const settler = startBackgroundJobs({ pool, log, ...SETTINGS })
  stops.unshift(() => settler.stop())
  return settler
}

beforeAll(async () => {
  server = await testServer({ firstHour: first, through: movable })
  pool = makePool(movable(server.database.connection))
  stops.push(
    () => pool.end(),
    () => server.close(),
  )
  await makeClockMovable(pool)
  newSettler()
  await until(async () => (await marks()).settled >= hourOf((Date.now() - SETTINGS.graceMs) as Instant))
})
afterAll(async () => {
  for (const stop of stops) await stop()
})

async function until(is: () => Promise<boolean>): Promise<void> {
  for (const from = performance.now(); !(await is()); await sleep(50)) {
    if (performance.now() - from > 60_000) throw new Error(`never happened; logged: ${logged.join('\n')}`)
  }
}

async function marks() {
  const { rows } = await pool.query<{ sealed: number; settled: number }>(
    'select sealed_until as sealed, settled_until as settled from deployment',
  )
  return rows[0]!
}

async function billed(id: string, hour: number): Promise<boolean> {
  const { rows } = await pool.query('select from bill where account = $1 and hour = $2', [id, hour])
  return rows.length > 0
}

function past(account: string, hour: number) {
  const time = new Date(hour * 3_600_000 + 60_000).toISOString()
  return requestEvent(account, { subject: account, time })
}

const stopped = async () => (await server.ask('/readyz')).json.sealing === 'stopped'

test('a jump of a day: nothing is sealed, /readyz says so, usage is taken; it ends when the clock is back', async () => {
  const before = await marks()
  await moveClock(pool, '1 day')
  await until(stopped)
  const ready = await server.ask('/readyz')
  expect([ready.status, ready.json.ready]).toEqual([200, true])
  expect(ready.json.reasons).toEqual([
    expect.stringMatching(/^Nothing is sealed: the database clock jumped to .*Z/),
  ])
  expect(logged.filter((line) => line.startsWith('The database clock has jumped ahead'))).toHaveLength(1)
  const { text } = await server.ask('/metrics')
  expect(text).toContain('farthing_sealing_stopped 1')
  expect(text).toMatch(/farthing_clock_gain_seconds 86(399|40\d)/)

  expect((await server.send([requestEvent('live'), past('old', first - 50)])).json.accepted).toBe(2)
  await sleep(PASSES_MS)
  expect(await marks()).toEqual(before)
  expect(await billed('old', first - 50)).toBe(false)

  await moveClock(pool, '0')
  await until(() => billed('old', first - 50))
  expect((await server.ask('/readyz')).json).toEqual({ ready: true, sealing: 'running', reasons: [] })
  expect((await marks()).sealed).toBeLessThanOrEqual(now + 1)
  expect(logged.filter((line) => line.includes('accepted again'))).toHaveLength(1)
})

test('a clock that goes back two days and returns: nothing is sealed twice, nothing stops', async () => {
  const before = await marks()
  await moveClock(pool, '-2 days')
  await sleep(PASSES_MS)
  expect((await server.send(past('meanwhile', first - 60))).status).toBe(200)
  expect(await marks()).toEqual(before)
  await moveClock(pool, '0')
  await until(() => billed('meanwhile', first - 60))
  expect(await stopped()).toBe(false)
  expect(logged.filter((line) => line.startsWith('ERROR'))).toEqual([])
})

test('a clock alarm counts for every process, also for later ones, until someone says that the clock is right', async () => {
  await moveClock(pool, '1 day')
  await until(stopped)
  const before = await marks()
  newSettler()
  await server.send(past('older', first - 70))
  const byHand = { ...SETTINGS, backfillQuietMs: undefined, pool, actor: 'cli:test', stopping: () => false }
  expect(await settleNow(byHand)).toBe(0)
  await sleep(PASSES_MS)
  expect(await marks()).toEqual(before)
  expect(await billed('older', first - 70)).toBe(false)

  expect(await sayClockIsRight(pool, 'cli:maria')).toBe(true)
  await until(() => billed('older', first - 70))
  // All that is due by that clock.
  await until(async () => (await marks()).sealed >= hourOf((Date.now() - SETTINGS.graceMs) as Instant) + 24)
  expect(await stopped()).toBe(false)
  expect(await sayClockIsRight(pool, 'cli:maria')).toBe(false)
  const { rows } = await pool.query("select actor from audit_entry where act = 'settle/clock-is-right'")
  expect(rows).toEqual([{ actor: 'cli:maria' }])
})

// The last one: it seals the hour that lasts.
test('what comes late during a jump is on the next bill, and never waits for an hour that only the clock has reached', async () => {
  const { sealed } = await marks()
  const { time } = past('older', first - 70)
  const late = (id: string) => server.send(requestEvent(id, { subject: 'older', time }))
  await moveClock(pool, '3 days')
  // Before anyone has looked at the clock; and after.
  expect((await late('unnoticed')).json.accepted).toBe(1)
  await until(stopped)
  expect((await late('alarmed')).json.accepted).toBe(1)
  const { rows } = await pool.query<{ cycle: number }>(
    `select cycle from usage_event where account = 'older' and id in ('unnoticed', 'alarmed')`,
  )
  expect(rows).toEqual([{ cycle: sealed }, { cycle: sealed }])

  await moveClock(pool, '1 day')
  await until(async () => !(await stopped()))
  expect(await billed('older', sealed)).toBe(false)
  await settlePass({ pool, ...SETTINGS, graceMs: -3_600_000, stopping: () => false })
  // By this pass, or by that of the server, which may have claimed its bucket first.
  await until(() => billed('older', sealed))
  const lines = await pool.query<{ usage_hour: number; quantity: string }>(
    `select usage_hour, quantity::text from bill_line where account = 'older' and hour = $1`,
    [sealed],
  )
  expect(lines.rows).toEqual([{ usage_hour: first - 70, quantity: '2' }])
  const differences: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const one of verify(pool, all)) differences.push(one)
  expect(differences).toEqual([])
})
