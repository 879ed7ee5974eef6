import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { createMeter, type Meter, type MeterOptions } from '../src/create-meter.ts'
import { readSpool } from '../src/node/spool-lines.ts'
import { fileSpool } from '../src/node.ts'
import { total, usageOf } from './auditor.ts'
import { type FlakyProxy, flakyProxy } from './flaky-proxy.ts'

/** Files of a spool that are written again when most of their content is delivered. */

let server: TestServer
let proxy: FlakyProxy
let folder: string
const meters: Meter[] = []
let accounts = 0

beforeAll(async () => {
  server = await testServer()
  proxy = await flakyProxy(server.url)
  folder = mkdtempSync(join(tmpdir(), 'farthing-spool-'))
})
afterEach(async () => {
  vi.useRealTimers()
  for (const meter of meters.splice(0)) await meter.close({ timeoutMs: 1000 })
  proxy.mishaps = []
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
})
afterAll(async () => {
  await proxy.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

function meterOf(options: Partial<MeterOptions> = {}): Meter {
  const base = { url: proxy.url, key: server.adminKey, source: '/sdk-test', onProblem() {} }
  const meter = createMeter({ ...base, spool: fileSpool({ folder }), ...options })
  meters.push(meter)
  return meter
}

function newAccount(): string {
  return `rewritten-${++accounts}`
}

const counted = async (account: string) => total(await usageOf(server.url, server.adminKey, account))
const spools = () => readdirSync(folder).filter((name) => name.endsWith('.spool'))

test('the file of a process that runs for long does not grow for long', async () => {
  const account = newAccount()
  const meter = meterOf({ aggregate: true, batchMs: 5 })
  const resource = 'x'.repeat(3000)
  // One that never settles, so that the file never becomes empty.
  await meter.request({ account, operation: 'FuzzyQuery', status: 200 })
  for (let round = 0; round < 40; round++) {
    for (let at = 0; at < 60; at++) {
      void meter.request({ account, operation: 'SimpleQuery', status: 200, resource })
    }
    while (meter.stats().queued > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const [name] = spools()
  expect(statSync(join(folder, name!)).size).toBeLessThan(5 * 2 ** 20)
  expect(existsSync(join(folder, `${name}.new`))).toBe(false)
  await meter.flush()
  expect(await counted(account)).toBe(2401n)
})

test('a file that is written again has what is still being counted, and goes on with it', async () => {
  const account = newAccount()
  // So that no minute ends meanwhile.
  vi.useFakeTimers({ toFake: ['Date'] })
  const meter = meterOf({ aggregate: true, batchMs: 5 })
  const open = async (calls: number) => {
    for (let at = 0; at < calls; at++) {
      await meter.request({ account, operation: 'FuzzyQuery', status: 200, project: `p${at % 2}` })
    }
  }
  await open(10)
  const path = join(folder, spools()[0]!)
  const inode = statSync(path).ino
  for (let round = 0; statSync(path).ino === inode; round++) {
    expect(round).toBeLessThan(200)
    for (let at = 0; at < 60; at++) {
      void meter.request({ account, operation: 'SimpleQuery', status: 200, resource: 'x'.repeat(4000) })
    }
    while (meter.stats().queued > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await open(4)
  const { events, damaged } = readSpool(readFileSync(path))
  const counts = events.map(({ data }) => `${String(data['project'])} ${String(data['count'])}`)
  expect([damaged, counts]).toEqual([0, ['p0 7', 'p1 7']])
  expect(meter.stats().open).toBe(2)
})

test('a file that is written again while a minute ends has all of it', async () => {
  proxy.mishaps = () => 503
  const meter = meterOf({ aggregate: true })
  const project = 'p'.repeat(240)
  const calls = 45_000
  for (let at = 0; at < calls; at++) {
    void meter.request({
      account: 'a',
      operation: 'SimpleQuery',
      status: 200,
      project: `${project}${at % 1500}`,
    })
  }
  const path = join(folder, spools()[0]!)
  const before = statSync(path).size
  void meter.flush({ timeoutMs: 1 })
  expect(before).toBeGreaterThan(4 * 2 ** 20)
  expect(statSync(path).size).toBeLessThan(before / 2)
  const { events, damaged } = readSpool(readFileSync(path))
  expect([events.length, damaged]).toEqual([1500, 0])
  expect(events.reduce((sum, { data }) => sum + BigInt(data['count'] as string), 0n)).toBe(BigInt(calls))
})
