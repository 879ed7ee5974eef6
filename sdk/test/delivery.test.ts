import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { table } from '../../test/table.ts'
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

/** What an operator has to put right, and what the line says about it. */
const OPERATORS = table(`
  mishap   | code                | says
  400      | proxy/status_400    | Check \`url\`
  401      | proxy/status_401    | Give the meter a valid \`key\`
  403      | proxy/status_403    | with the scope usage:write
  404      | proxy/status_404    | Check \`url\`
  405      | proxy/status_405    | Check \`url\`
  409      | proxy/status_409    | Check \`url\`
  410      | proxy/status_410    | Check \`url\`
  413      | proxy/status_413    | Raise the limit
  415      | proxy/status_415    | Let application/x-ndjson pass
  422      | proxy/status_422    | Check \`url\`
  page 401 | sdk/http_status     | Give the meter a valid \`key\`
  page 403 | sdk/http_status     | check what is in between
  page 404 | sdk/http_status     | Check \`url\`
  page 405 | sdk/http_status     | Check \`url\`
  page 413 | sdk/http_status     | Raise the limit
  page 451 | sdk/http_status     | Check \`url\`
`)

test.each(OPERATORS)(
  '$mishap keeps its event, says what to do, and delivers it when that is done',
  async (row) => {
    const account = newAccount()
    const meter = meterOf()
    const mishap = (Number(row.mishap) || row.mishap) as Mishap
    proxy.mishaps = () => mishap
    void meter.request({ account, operation: 'SimpleQuery', status: 200 })
    expect(await meter.flush()).toBe(false)
    expect(problems).toMatchObject([
      { kind: 'refused', code: row.code, status: Number(/\d+/.exec(row.mishap!)![0]) },
    ])
    expect(problems[0]!.detail).toContain(row.says)
    expect(problems[0]!.detail).toContain('1 event is kept')
    expect(problems[0]!.events).toMatchObject([{ subject: account, data: { operation: 'SimpleQuery' } }])
    expect(meter.stats()).toMatchObject({ refused: 1, queued: 1, accepted: 0 })
    proxy.mishaps = []
    expect(await meter.flush()).toBe(true)
    expect(await counted(account)).toEqual(new Map([['SimpleQuery  billed', 1n]]))
    expect(await meter.close()).toBe(true)
  },
)

test('a key that Farthing does not take, and one without the scope, are told, and lose nothing', async () => {
  const account = newAccount()
  const reader = await server.key(['bills:read'])
  const unknown = 'frt_000000000000000000000000001f22r1'
  for (const [key, code, status] of [
    [reader, 'auth/missing_scope', 403],
    [unknown, 'auth/unknown_key', 401],
  ] as const) {
    const meter = meterOf({ key })
    await meter.request({ account, operation: 'SimpleQuery', status: 200 })
    expect(await meter.flush()).toBe(false)
    expect(problems.splice(0)).toMatchObject([{ kind: 'refused', code, status }])
    expect(await meter.close({ timeoutMs: 100 })).toBe(false)
    expect(problems.find(({ kind }) => kind === 'unsent')!.events).toMatchObject([{ subject: account }])
    problems = []
  }
  expect(await counted(account)).toEqual(new Map())
})

test.each([
  ['a path that is none', (): string => `${server.url}/farthing`, 'refused', 404, 'Check `url`'],
  [
    'a host that is none',
    (): string => 'http://farthing.invalid',
    'retrying',
    undefined,
    'No host has this name',
  ],
  ['a port at which nobody listens', (): string => 'http://127.0.0.1:9', 'retrying', undefined, 'Is it up'],
  [
    'https for http',
    (): string => server.url.replace('http', 'https'),
    'retrying',
    undefined,
    'do not agree on TLS',
  ],
] as const)('%s in the url keeps its events, and says what to do', async (_, url, kind, status, says) => {
  const meter = meterOf({ url: url() })
  await meter.request({ account: newAccount(), operation: 'SimpleQuery', status: 200 })
  expect(await meter.flush({ timeoutMs: 700 })).toBe(false)
  expect(problems[0]).toMatchObject({ kind, ...(status && { status }) })
  expect(problems[0]!.detail).toContain(says)
  expect(meter.stats()).toMatchObject({ queued: 1 })
})

test.each(['redirect', 'login page', 'page 204'] as const)('%s is told with what to do', async (mishap) => {
  proxy.mishaps = [mishap]
  const meter = meterOf()
  void meter.request({ account: newAccount(), operation: 'SimpleQuery', status: 200 })
  expect(await meter.flush()).toBe(true)
  expect(problems).toMatchObject([{ kind: 'retrying', code: 'sdk/not_farthing' }])
  expect(problems[0]!.detail).toContain('Check `url`')
})

test('while all is refused, memory is bounded, and what is beyond is counted, told, and not true', async () => {
  const account = newAccount()
  proxy.mishaps = () => 401
  const meter = meterOf({ queueEvents: 5, whenFull: 'drop-newest' })
  for (let at = 0; at < 8; at++) void meter.request({ account, operation: 'SimpleQuery', status: 200 })
  expect(await meter.flush()).toBe(false)
  expect(meter.stats()).toMatchObject({ queued: 5, dropped: 3 })
  expect(problems.filter(({ kind }) => kind === 'dropped')).toHaveLength(3)
  proxy.mishaps = []
  expect(await meter.flush()).toBe(true)
  expect(await counted(account)).toEqual(new Map([['SimpleQuery  billed', 5n]]))
  // Three are lost for ever.
  expect(await meter.close()).toBe(false)
})

test('a flush is false once for what was dropped since the one before', async () => {
  proxy.mishaps = () => 503
  const meter = meterOf({ queueEvents: 1, whenFull: 'drop-newest' })
  for (let at = 0; at < 2; at++)
    void meter.request({ account: newAccount(), operation: 'SimpleQuery', status: 200 })
  proxy.mishaps = []
  expect(await meter.flush()).toBe(false)
  expect(await meter.flush()).toBe(true)
})

test.each([400, 'page 403'] as const)(
  'an event that something on the way does not let pass (%s) holds up no others',
  async (mishap) => {
    const account = newAccount()
    const meter = meterOf({ batchEvents: 8 })
    proxy.mishaps = (_, body) => (body.includes('drop table') ? mishap : 'pass')
    for (let at = 0; at < 20; at++) {
      const project = at === 6 ? "'; drop table" : undefined
      void meter.request({ account, operation: 'SimpleQuery', status: 200, project })
    }
    expect(await meter.flush()).toBe(false)
    expect(problems).toMatchObject([{ kind: 'refused' }])
    expect(problems[0]!.events).toMatchObject([{ data: { project: "'; drop table" } }])
    expect(await meter.flush()).toBe(false)
    expect(await counted(account)).toEqual(new Map([['SimpleQuery  billed', 19n]]))
    proxy.mishaps = []
    expect(await meter.flush()).toBe(true)
    expect(meter.stats()).toMatchObject({ accepted: 20, queued: 0, dropped: 0 })
  },
)

test('what is too large for something on the way is sent in halves', async () => {
  const account = newAccount()
  const meter = meterOf()
  proxy.mishaps = [413, 413, 'pass', 413]
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
