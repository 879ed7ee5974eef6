import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { createMeter, type Meter, type MeterOptions, type MeterProblem } from '../src/create-meter.ts'
import { total, usageOf } from './auditor.ts'
import { type FlakyProxy, flakyProxy } from './flaky-proxy.ts'

/** Queues that are full, meters that are closed, and clocks that go backwards. */

let server: TestServer
let proxy: FlakyProxy
let problems: MeterProblem[] = []
const meters: Meter[] = []
let accounts = 0
let account: string

beforeAll(async () => {
  server = await testServer()
  proxy = await flakyProxy(server.url)
})
afterEach(async () => {
  vi.useRealTimers()
  proxy.mishaps = []
  for (const meter of meters.splice(0)) await meter.close({ timeoutMs: 2000 })
  problems = []
})
afterAll(async () => {
  await proxy.close()
  await server.close()
})

function meterOf(options: Partial<MeterOptions> = {}): Meter {
  account = `full-${++accounts}`
  const base = { url: proxy.url, key: server.adminKey, source: '/sdk-test', batchMs: 5 }
  const meter = createMeter({ ...base, queueEvents: 5, onProblem: noteProblem, ...options })
  meters.push(meter)
  return meter
}

function noteProblem(problem: MeterProblem): void {
  problems.push(problem)
}

const call = (meter: Meter, operation = 'SimpleQuery') => meter.request({ account, operation, status: 200 })
const counted = async () => total(await usageOf(server.url, server.adminKey, account))
const toldAs = (kind: MeterProblem['kind']) => problems.filter((problem) => problem.kind === kind)

test('throw: a call throws when the queue is full, and what was taken is counted', async () => {
  proxy.mishaps = () => 503
  const meter = meterOf({ whenFull: 'throw' })
  for (let at = 0; at < 5; at++) expect(await call(meter)).toBe(true)
  expect(() => call(meter)).toThrowError(expect.objectContaining({ code: 'sdk/queue_full' }))
  proxy.mishaps = []
  await meter.flush()
  expect(await call(meter)).toBe(true)
  await meter.flush()
  expect(await counted()).toBe(6n)
})

test('drop-newest: what is dropped is counted, told with its event, and not billed', async () => {
  proxy.mishaps = () => 503
  const meter = meterOf({ whenFull: 'drop-newest' })
  const taken = await Promise.all(Array.from({ length: 8 }, () => call(meter)))
  expect(taken).toEqual([true, true, true, true, true, false, false, false])
  expect(meter.stats()).toMatchObject({ taken: 5, dropped: 3, queued: 5 })
  expect(toldAs('dropped')).toMatchObject([1, 2, 3].map(() => ({ code: 'sdk/queue_full' })))
  expect(toldAs('dropped')[0]!.events).toMatchObject([{ subject: account }])
  proxy.mishaps = []
  await meter.flush()
  expect(await counted()).toBe(5n)
})

test('wait: a call waits for room, in order; more than may wait are dropped and told', async () => {
  proxy.mishaps = () => 503
  const meter = meterOf()
  const taken: boolean[] = []
  const calls = Array.from({ length: 11 }, () => call(meter).then((isTaken) => taken.push(isTaken)))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(taken.filter(Boolean)).toHaveLength(5)
  expect(taken).toHaveLength(6)
  expect(meter.stats()).toMatchObject({ taken: 5, waiting: 5, dropped: 1 })
  proxy.mishaps = []
  // All that was taken is sent, and one was dropped.
  expect(await meter.flush()).toBe(false)
  expect(await meter.flush()).toBe(true)
  await Promise.all(calls)
  expect(await counted()).toBe(10n)
  expect(meter.stats()).toMatchObject({ taken: 10, waiting: 0, accepted: 10 })
})

test('counting together needs room for each kind only, and a full queue ends the minute early', async () => {
  const meter = meterOf({ aggregate: true, queueEvents: 2 })
  for (let at = 0; at < 100; at++) await call(meter, ['SimpleQuery', 'FuzzyQuery'][at % 2])
  expect(meter.stats()).toMatchObject({ taken: 100, open: 2, waiting: 0 })
  expect(await call(meter, 'GetFileMeta')).toBe(true)
  await meter.flush()
  expect(meter.stats()).toMatchObject({ taken: 101, accepted: 3, open: 0 })
  expect(await counted()).toBe(101n)
})

test('the bound of memory holds for what is counted together, too', async () => {
  proxy.mishaps = () => 503
  const meter = meterOf({ aggregate: true, queueEvents: 4, aggregateKeys: 2, whenFull: 'drop-newest' })
  for (let at = 0; at < 10; at++) {
    void meter.request({ account, operation: 'SimpleQuery', status: 200 + at })
    const { queued, open } = meter.stats()
    expect(queued + open).toBe(Math.min(4, at + 1))
  }
  expect(meter.stats()).toMatchObject({ taken: 4, dropped: 6 })
  proxy.mishaps = []
  await meter.flush()
  expect(await counted()).toBe(4n)
})

test('more kinds of calls than are counted at once make further parts', async () => {
  const meter = meterOf({ aggregate: true, aggregateKeys: 3, queueEvents: 100 })
  for (let at = 0; at < 40; at++)
    void meter.request({ account, operation: 'SimpleQuery', status: 200 + (at % 4) })
  await meter.flush()
  expect(meter.stats().accepted).toBe(40)
  expect(await counted()).toBe(40n)
})

test('a closed meter takes nothing; what it could not send is told', async () => {
  proxy.mishaps = () => 503
  const meter = meterOf({ queueEvents: 2 })
  const calls = [call(meter), call(meter), call(meter)]
  expect(await meter.close({ timeoutMs: 50 })).toBe(false)
  expect(await Promise.all(calls)).toEqual([true, true, false])
  expect(toldAs('unsent')).toMatchObject([{ code: 'sdk/unsent' }])
  expect(toldAs('unsent')[0]!.events).toHaveLength(3)
  expect(() => call(meter)).toThrowError(expect.objectContaining({ code: 'sdk/closed' }))
  expect(await meter.close()).toBe(false)
})

test('flush says when it took too long, and leaves the rest to be sent', async () => {
  proxy.mishaps = [503, 503]
  const meter = meterOf()
  void call(meter)
  expect(await meter.flush({ timeoutMs: 20 })).toBe(false)
  expect(await meter.flush()).toBe(true)
  expect(await counted()).toBe(1n)
})

test('a clock that goes backwards makes a new part, and never an identity again', async () => {
  const meter = meterOf({ aggregate: true, queueEvents: 100, batchMs: 60_000 })
  const from = proxy.bodies.length
  const minute = Math.floor(Date.now() / 60_000) * 60_000 - 120_000
  vi.useFakeTimers({ toFake: ['Date'] })
  for (const [at, calls] of [
    [minute + 59_000, 3],
    [minute + 60_000, 2],
    [minute + 59_500, 4],
    [minute + 61_000, 1],
  ] as const) {
    vi.setSystemTime(at)
    for (let n = 0; n < calls; n++) await call(meter)
  }
  vi.useRealTimers()
  await meter.flush()
  const events = proxy.bodies.slice(from).flatMap((body) => body.split('\n').map((line) => JSON.parse(line)))
  const times = [0, 60_000, 0, 60_000].map((ms) => new Date(minute + ms).toISOString())
  expect(events.map(({ time }) => time)).toEqual(times)
  expect(events.map(({ data }) => data.count)).toEqual(['3', '2', '4', '1'])
  expect(new Set(events.map(({ id }) => id)).size).toBe(4)
  expect(await counted()).toBe(10n)
})

test('a listener that throws does not stop the sending', async () => {
  proxy.mishaps = [503, 503]
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const meter = meterOf({
    onProblem() {
      throw new Error('from the listener')
    },
  })
  void call(meter)
  expect(await meter.flush()).toBe(true)
  expect(await counted()).toBe(1n)
  expect(warn).toHaveBeenCalledTimes(2)
  warn.mockRestore()
})
