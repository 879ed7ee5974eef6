import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import {
  createMeter,
  type Meter,
  meterJob,
  type MeterOptions,
  type MeterProblem,
} from '../src/create-meter.ts'
import { type Ledger, note, usageOf, withoutZeros } from './auditor.ts'
import { type FlakyProxy, flakyProxy, type Mishap, SLOW_MS } from './flaky-proxy.ts'

let server: TestServer
let proxy: FlakyProxy
let problems: MeterProblem[] = []
const meters: Meter[] = []
let accounts = 0

beforeAll(async () => {
  server = await testServer()
  proxy = await flakyProxy(server.url)
})
afterEach(async () => {
  proxy.mishaps = []
  for (const meter of meters.splice(0)) await meter.close({ timeoutMs: 2000 })
  problems = []
})
afterAll(async () => {
  await proxy.close()
  await server.close()
})

function meterOf(options: Partial<MeterOptions> = {}): Meter {
  const base = { url: proxy.url, key: server.adminKey, source: '/sdk-test', timeoutMs: SLOW_MS / 2 }
  const meter = createMeter({ ...base, batchEvents: 10, batchMs: 20, onProblem: noteProblem, ...options })
  meters.push(meter)
  return meter
}

function noteProblem(problem: MeterProblem): void {
  problems.push(problem)
}

function newAccount(): string {
  return `sdk-${++accounts}`
}

/** Calls of several kinds. @returns what the server should say of them */
function call(meter: Meter, account: string, calls: number, ledger: Ledger = new Map()): Ledger {
  for (let at = 0; at < calls; at++) {
    const [operation, project] = [['SimpleQuery', 'FuzzyQuery'][at % 2]!, `p${at % 3}`]
    const status = [200, 404, 503, 201][at % 4]!
    void meter.request({ account, operation, project, status, region: 'eu-1' })
    note(ledger, `${operation} ${project} ${status >= 500 ? 'waived' : 'billed'}`)
    if (at % 5 > 0) continue
    const quantities = { call: at % 10 === 0 ? 2n : '3' }
    void meter.processing({ account, operation: 'DetectImageFaces', mode: 'sync', project, quantities })
    note(ledger, `DetectImageFaces ${project} billed`, BigInt(quantities.call))
  }
  return withoutZeros(ledger)
}

const counted = (account: string) => usageOf(server.url, server.adminKey, account)

const PASSING: readonly Mishap[] = [
  'cut',
  'cut after',
  'half an answer',
  'slow',
  'login page',
  'redirect',
  408,
  429,
  500,
  502,
  503,
]

test.each(PASSING)('usage is counted once when a request meets: %s', async (mishap) => {
  for (const aggregate of [false, true]) {
    const account = newAccount()
    const meter = meterOf({ aggregate })
    proxy.mishaps = [mishap, 'pass', mishap]
    const called = call(meter, account, 23)
    expect(await meter.flush()).toBe(true)
    expect(await counted(account)).toEqual(called)
    expect(meter.stats().retries).toBeGreaterThan(0)
  }
  expect(problems.every(({ kind }) => kind === 'retrying')).toBe(true)
})

test('two meters of one source, with everything going wrong at random, lose and double nothing', async () => {
  const account = newAccount()
  const some = PASSING.filter((mishap) => mishap !== 'slow')
  const seed = Date.now() % 2 ** 31
  console.info(`seed ${seed}`)
  // Every third request goes wrong, one way or another.
  proxy.mishaps = (number) => {
    const chance = Math.imul(seed + number, 2_654_435_761) >>> 0
    return chance % 3 === 0 ? some[(chance >>> 8) % some.length]! : 'pass'
  }
  const pair = [meterOf(), meterOf({ aggregate: true, aggregateKeys: 4 })]
  const ledger: Ledger = new Map()
  for (let round = 0; round < 8; round++) {
    for (const meter of pair) call(meter, account, 11, ledger)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  expect(await Promise.all(pair.map((meter) => meter.flush({ timeoutMs: 60_000 })))).toEqual([true, true])
  expect(await counted(account)).toEqual(withoutZeros(ledger))
})

test('the identity of an event is the same each time it is sent', async () => {
  const meter = meterOf()
  proxy.mishaps = ['cut after', 'half an answer', 500]
  const from = proxy.bodies.length
  void meter.request({ account: newAccount(), operation: 'SimpleQuery', status: 200 })
  await meter.flush()
  const sent = proxy.bodies.slice(from)
  expect(sent).toHaveLength(3)
  expect(new Set(sent).size).toBe(1)
})

test('nothing is sent as a JSON number that could lose a digit', async () => {
  const account = newAccount()
  const meter = meterOf()
  const from = proxy.bodies.length
  const big = 2n ** 90n
  const quantities = { call: big }
  await meter.processing({ account, operation: 'DetectImageFaces', mode: 'sync', quantities })
  await meter.processing({ account, operation: 'DetectImageFaces', mode: 'sync', quantities: { call: '1' } })
  await meter.request({ account, operation: 'SimpleQuery', status: 200, count: 7 })
  await meter.storage({ account, dataset: 'd', bytes: big })
  await meter.flush()
  expect(await counted(account)).toEqual(
    new Map([
      ['DetectImageFaces  billed', big + 1n],
      ['SimpleQuery  billed', 7n],
    ]),
  )
  // All numbers that are no text: the status is the only one.
  expect(
    proxy.bodies
      .slice(from)
      .join('')
      .match(/(?<=":)[0-9.]+/g),
  ).toEqual(['200'])
  expect(meter.stats()).toMatchObject({ taken: 4, accepted: 4, queued: 0 })
})

test.each([400, 401] as const)('%s is told with its events, and not sent again', async (status) => {
  const account = newAccount()
  const meter = meterOf()
  proxy.mishaps = [status]
  const before = proxy.requests()
  void meter.request({ account, operation: 'SimpleQuery', status: 200 })
  expect(await meter.flush()).toBe(true)
  expect(proxy.requests() - before).toBe(1)
  expect(problems).toMatchObject([{ kind: 'refused', status, code: `proxy/status_${status}` }])
  expect(problems[0]!.events).toMatchObject([{ subject: account, data: { operation: 'SimpleQuery' } }])
  expect(meter.stats()).toMatchObject({ refused: 1, accepted: 0, retries: 0 })
})

test('what is too large for something on the way is sent in halves', async () => {
  const account = newAccount()
  const meter = meterOf()
  proxy.mishaps = [413, 413, 'pass', 'pass', 413]
  const called = call(meter, account, 8)
  await meter.flush()
  expect(problems).toEqual([])
  expect(await counted(account)).toEqual(called)
})

test('a job is billed when it has completed, once, however many attempts have failed before', async () => {
  const account = newAccount()
  const meter = meterOf()
  const job = { account, operation: 'CreateOfficeConversionTask', task: 't-1', id: 't-1' }
  const attempt = (work: () => Promise<bigint>) => meterJob(meter, job, work, (page) => ({ page }))
  const failing = () => attempt(() => Promise.reject(new Error('no such file')))
  await expect(failing()).rejects.toThrowError('no such file')
  await expect(failing()).rejects.toThrowError('no such file')
  expect(await attempt(() => Promise.resolve(12n))).toBe(12n)
  await meter.flush()
  expect(problems).toEqual([])
  expect(meter.stats()).toMatchObject({ accepted: 3 })
  expect(await counted(account)).toEqual(new Map([['CreateOfficeConversionTask  billed', 12n]]))
  // A queue gives it out again.
  await attempt(() => Promise.resolve(13n))
  await meter.flush()
  expect(problems).toMatchObject([{ kind: 'conflict', code: 'event/conflict' }])
  expect(await counted(account)).toEqual(new Map([['CreateOfficeConversionTask  billed', 12n]]))
})

test('what the server says of single events is told', async () => {
  const account = newAccount()
  const meter = meterOf()
  // One instant: the second call may come a millisecond later.
  const fact = { account, operation: 'SimpleQuery', status: 200, at: Date.now() }
  await meter.request({ ...fact, id: 'own' })
  await meter.request({ ...fact, id: 'own' })
  await meter.request({ ...fact, id: 'own', count: 5 })
  await meter.request({ ...fact, operation: 'SimpelQuery' })
  await meter.request({ ...fact, at: Date.now() + 3_600_000 })
  await meter.flush()
  expect(problems.map(({ kind, code }) => `${kind} ${code}`).sort()).toEqual([
    'conflict event/conflict',
    'held held/unknown_operation',
    'rejected event/time_out_of_range',
  ])
  const said = problems.find(({ kind }) => kind === 'held')!
  expect(said.events).toMatchObject([{ data: { operation: 'SimpelQuery' } }])
  expect(meter.stats()).toMatchObject({ accepted: 1, duplicates: 1, conflicts: 1, held: 1, rejected: 1 })
})

test('Retry-After is respected', async () => {
  const asked: number[] = []
  const { createServer } = await import('node:http')
  const busy = createServer((incoming, answer) => {
    asked.push(Date.now())
    const isFirst = asked.length === 1
    const body = { accepted: 1, duplicates: 0, conflicts: 0, held: 0, rejected: 0, problems: [] }
    incoming.resume().on('end', () => {
      answer.writeHead(isFirst ? 429 : 200, { 'retry-after': '2' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve))
  const { port } = busy.address() as { port: number }
  const meter = meterOf({ url: `http://127.0.0.1:${port}` })
  await meter.request({ account: 'a', operation: 'SimpleQuery', status: 200 })
  expect(await meter.flush()).toBe(true)
  expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(1990)
  busy.closeAllConnections()
  await new Promise((resolve) => busy.close(resolve))
})
