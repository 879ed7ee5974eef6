import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { BackgroundJobs } from '../../src/flows/background-jobs.ts'
import { NICENESS } from '../../src/threads/give-way.ts'
import { startSettling } from '../../src/threads/settling-thread.ts'
import { startThread } from '../../src/threads/thread.ts'
import { CountedThreads } from './ingest-threads.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantees: hours are settled by a thread of its own, or by the main one if there can be none; and anyone who stops a server
// waits for what is being settled.

/** As it is compiled: a thread has no other way to run it. */
const WORKER = new URL('../../dist/src/threads/settling-worker.js', import.meta.url)
const HOURS = 3
const first = (hourOf(Date.now() as Instant) - HOURS - 1) as Hour
const DAY_MS = 86_400_000

/** A module for a thread. */
const module = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`)

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

interface Settling {
  readonly server: TestServer
  /** Of the server, before anything settles. */
  readonly sessions: number
  readonly settler: BackgroundJobs
  readonly logged: { readonly level: string; readonly text: string }[]
}

/** A server with an event in each of three hours, which are due. */
async function settlingBy(worker: URL): Promise<Settling> {
  const server = await testServer({ firstHour: first })
  cleanUp.push(() => server.close())
  for (let hour = first; hour < first + HOURS; hour++) {
    const event = requestEvent(String(hour), { time: new Date(hour * 3_600_000).toISOString() })
    expect((await server.send([event])).json.accepted).toBe(1)
  }
  const sessions = await sessionsOf(server)
  const logged: Settling['logged'] = []
  const at = (level: string) => (_: object, text: string) => void logged.push({ level, text })
  const log = { info: at('info'), warn: at('warn'), error: at('error') }
  const { pool, connection } = server.database
  const setup = {
    database: connection,
    sessions: 4,
    graceMs: 0,
    backfillQuietMs: 1_000,
    identityWindowMs: DAY_MS,
  }
  return { server, sessions, logged, settler: startSettling(setup, { pool, log, worker }) }
}

async function sessionsOf({ database }: TestServer): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity where datname = current_database()
     and application_name like 'farthing %'`,
  )
  return rows[0]!.count
}

async function untilSettled({ logged }: Settling): Promise<void> {
  const settled = () => logged.filter(({ text }) => text === 'Settled an hour').length
  await expect.poll(settled, { timeout: 15_000 }).toBeGreaterThanOrEqual(HOURS)
}

async function billsOf({ server }: Settling): Promise<readonly string[]> {
  const { json } = await server.ask('/v1/bills')
  return json.items.map(({ cycle }: { cycle: { from: string } }) => cycle.from).sort()
}

const hours = Array.from({ length: HOURS }, (_, index) =>
  new Date((first + index) * 3_600_000).toISOString().replace('.000', ''),
)

test('a thread settles what is due, over sessions of its own, and the server logs what it says', async () => {
  const settling = await settlingBy(WORKER)
  await untilSettled(settling)
  const { server, sessions } = settling
  expect(await sessionsOf(server)).toBeGreaterThan(sessions)
  await settling.settler.stop()
  await expect.poll(() => sessionsOf(server)).toBe(sessions)
  expect(await billsOf(settling)).toEqual(hours)
  expect(settling.logged.filter(({ level }) => level === 'error')).toEqual([])
})

test.each([
  ['fails at its start', 'throw new Error("no thread today")'],
  ['ends before it began', 'process.exit(0)'],
])('when the thread %s the main one settles, and says so once', async (_, code) => {
  const settling = await settlingBy(module(code))
  await untilSettled(settling)
  await settling.settler.stop()
  expect(await billsOf(settling)).toEqual(hours)
  const warned = settling.logged.filter(({ text }) => text.includes('thread'))
  expect(warned).toEqual([
    { level: 'warn', text: 'The thread for settlement was not started: the main thread settles' },
  ])
})

test('a settler that is stopped at once has begun nothing that goes on', async () => {
  const settling = await settlingBy(WORKER)
  await settling.settler.stop()
  const bills = await billsOf(settling)
  await sleep(1_500)
  expect(await billsOf(settling)).toEqual(bills)
})

test('anyone who closes a thread waits until it has ended', async () => {
  const ended = new Int32Array(new SharedArrayBuffer(4))
  const code = `
    import { parentPort, workerData } from 'node:worker_threads'
    parentPort.once('message', () => setTimeout(() => {
      workerData[0] = 1
      parentPort.close()
    }, 300))
    parentPort.postMessage({ kind: 'ready' })`
  const log = { info() {}, warn() {}, error() {} }
  const start = { module: module(code), name: 'a slow thread', setup: ended, log, hear: () => undefined }
  const thread = await startThread(start)
  await thread.close()
  expect(ended[0]).toBe(1)
})

test.runIf(process.platform === 'linux')('the main thread has the core before the others', async () => {
  const own = getPriority(process.pid)
  const lower = Math.min(own + NICENESS, 19)
  const gaveWay = () =>
    readdirSync('/proc/self/task').filter((thread) => getPriority(Number(thread)) === lower).length
  const before = gaveWay()
  const settling = await settlingBy(WORKER)
  await untilSettled(settling)
  expect(gaveWay()).toBe(before + 1)
  const log = { info() {}, warn() {}, error() {} }
  const ingest = new CountedThreads(settling.server.database, log)
  await ingest.ready()
  await expect.poll(gaveWay).toBe(before + 3)
  await Promise.all([ingest.threads.close(), settling.settler.stop()])
  expect(getPriority(process.pid)).toBe(own)
})
