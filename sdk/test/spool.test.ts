import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import {
  createMeter,
  type Meter,
  type MeterOptions,
  type MeterProblem,
  type Spool,
} from '../src/create-meter.ts'
import { readSpool } from '../src/node/spool-lines.ts'
import { fileSpool } from '../src/node.ts'
import { total, usageOf } from './auditor.ts'
import { type Counting, type CountingProcess, countingProcess } from './counting-process.ts'
import { type FlakyProxy, flakyProxy } from './flaky-proxy.ts'

let server: TestServer
let proxy: FlakyProxy
let folder: string
let problems: MeterProblem[] = []
const running: CountingProcess[] = []
const meters: Meter[] = []
let accounts = 0

beforeAll(async () => {
  execFileSync(process.execPath, ['bin/prepare.mjs'])
  server = await testServer()
  proxy = await flakyProxy(server.url)
  folder = mkdtempSync(join(tmpdir(), 'farthing-spool-'))
})
afterEach(async () => {
  for (const child of running.splice(0)) await child.kill()
  for (const meter of meters.splice(0)) await meter.close({ timeoutMs: 1000 })
  proxy.mishaps = []
  problems = []
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
})
afterAll(async () => {
  await proxy.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const base = () => ({ url: proxy.url, key: server.adminKey, source: '/sdk-test' })

function start(options: Omit<Counting, keyof ReturnType<typeof base>>): CountingProcess {
  const child = countingProcess({ batchMs: 20, ...options, ...base() })
  running.push(child)
  return child
}

/** The next start of the sender, in this process. */
function meterOf(options: Partial<MeterOptions> = {}): Meter {
  const meter = createMeter({ ...base(), spool: fileSpool({ folder }), onProblem: noteProblem, ...options })
  meters.push(meter)
  return meter
}

function noteProblem(problem: MeterProblem): void {
  problems.push(problem)
}

function newAccount(): string {
  return `spooled-${++accounts}`
}

const counted = async (account: string) => total(await usageOf(server.url, server.adminKey, account))
const spools = () => readdirSync(folder).filter((name) => name.endsWith('.spool'))

/** What was taken is counted; the one call in which the process was killed may be too. */
async function expectAll(child: CountingProcess, account: string): Promise<void> {
  const sum = Number(await counted(account))
  expect(sum).toBeGreaterThanOrEqual(child.count('took'))
  expect(sum).toBeLessThanOrEqual(child.count('try'))
  expect(child.count('took')).toBeGreaterThan(10)
}

test('without a spool, kill -9 loses at most what was not sent', async () => {
  const account = newAccount()
  const child = start({ account, calls: 1e6, flushEvery: 25 })
  await child.until('sent', 4)
  await child.kill()
  const sum = Number(await counted(account))
  expect(sum).toBeGreaterThanOrEqual(child.count('sent') * 25)
  expect(sum).toBeLessThanOrEqual(child.count('try'))
})

test.each([
  { aggregate: false, fsync: 'never', down: true },
  { aggregate: false, fsync: 'always', down: true },
  { aggregate: true, fsync: 'never', down: true },
  { aggregate: false, fsync: 'never', down: false },
  { aggregate: true, fsync: 'never', down: false, aggregateKeys: 1 },
] as const)('with a spool, kill -9 loses and doubles nothing: %o', async ({ down, ...options }) => {
  const account = newAccount()
  if (down) proxy.mishaps = () => 503
  const child = start({ account, calls: 1e6, folder, pauseMs: down ? 0 : 1, ...options })
  await child.until('took', 300)
  await child.kill()
  proxy.mishaps = []
  const next = meterOf()
  expect(await next.flush()).toBe(true)
  await expectAll(child, account)
  expect(spools()).toHaveLength(1)
  expect(problems.filter(({ kind }) => kind !== 'spool')).toEqual([])
})

test('kill -9 again and again, in the same minute, loses and doubles nothing', async () => {
  const account = newAccount()
  let [took, tried] = [0, 0]
  for (let round = 0; round < 6; round++) {
    // Answers are lost after the commit, too.
    proxy.mishaps = (number) => (number % 3 === 0 ? 'cut after' : 'pass')
    const options = { aggregate: round % 2 === 0, aggregateKeys: 2, files: 3 }
    const child = start({ account, calls: 1e6, folder, pauseMs: 1, ...options })
    await child.until('took', 60 + round * 10)
    await child.kill()
    took += child.count('took')
    tried += child.count('try')
  }
  proxy.mishaps = []
  expect(await meterOf().flush()).toBe(true)
  const sum = Number(await counted(account))
  expect(sum).toBeGreaterThanOrEqual(took)
  expect(sum).toBeLessThanOrEqual(tried)
  expect(spools()).toHaveLength(1)
})

test('a half-written last record is left out, and told', async () => {
  const account = newAccount()
  proxy.mishaps = () => 503
  const child = start({ account, calls: 40, folder })
  await child.until('end')
  await child.kill()
  proxy.mishaps = []
  const half = '1a2b3c4d {"event":{"specversion":"1.0","id":"half","source":"/sdk-test","type":"farthing.req'
  appendFileSync(join(folder, spools()[0]!), half)
  await meterOf().flush()
  expect(await counted(account)).toBe(40n)
  expect(problems).toMatchObject([{ kind: 'spool', code: 'sdk/spool_damaged' }])
})

test('a file of a process that lives is left alone; of one that has ended it is taken by exactly one', async () => {
  const account = newAccount()
  proxy.mishaps = () => 503
  const child = start({ account, calls: 200, folder, pauseMs: 0 })
  await child.until('end')
  child.child.kill('SIGSTOP')
  proxy.mishaps = []
  await meterOf().flush()
  expect(await counted(account)).toBe(0n)
  expect(spools()).toHaveLength(2)

  await child.kill()
  const several = Array.from({ length: 8 }, () => meterOf({ batchEvents: 50 }))
  await Promise.all(several.map((meter) => meter.flush()))
  expect(await counted(account)).toBe(200n)
  const stats = several.map((meter) => meter.stats())
  expect(stats.map(({ accepted }) => accepted).sort((a, b) => a - b)).toEqual([0, 0, 0, 0, 0, 0, 0, 200])
  expect(stats.every(({ duplicates }) => duplicates === 0)).toBe(true)
})

test('one that dies with what it has taken over leaves it to the next', async () => {
  const account = newAccount()
  proxy.mishaps = () => 503
  const first = start({ account, calls: 50, folder, aggregate: true })
  await first.until('end')
  await first.kill()
  const second = start({ account, calls: 30, folder, aggregate: true })
  await second.until('end')
  await second.until('problem retrying', 2)
  expect(spools().some((name) => name.split('.').length === 3)).toBe(true)
  await second.kill()
  proxy.mishaps = ['cut after']
  await meterOf().flush()
  expect(await counted(account)).toBe(80n)
  expect(spools()).toHaveLength(1)
})

test('a part keeps its identity, however many processes have taken it over and delivered nothing', async () => {
  const account = newAccount()
  proxy.mishaps = () => 503
  const ids = new Set<string>()
  for (let round = 0; round < 3; round++) {
    const options = { aggregate: true, files: 2, batchMs: 60_000 }
    const child = start({ account, calls: 20, folder, ...options })
    await child.until('end')
    if (round > 0) await child.until('problem retrying')
    await child.kill()
    for (const name of spools().filter((one) => one.split('.').length === 2)) {
      for (const { id } of readSpool(readFileSync(join(folder, name))).events) ids.add(id)
    }
  }
  proxy.mishaps = []
  const from = proxy.bodies.length
  expect(await meterOf().flush()).toBe(true)
  const sent = proxy.bodies.slice(from).flatMap((body) => body.split('\n').map((line) => JSON.parse(line).id))
  // Four kinds of calls in each process.
  expect(ids.size).toBeGreaterThanOrEqual(12)
  expect(new Set(sent)).toEqual(ids)
  expect(sent).toHaveLength(ids.size)
  expect(await counted(account)).toBe(60n)
})

test('what is meant for another server is not taken over', async () => {
  const account = newAccount()
  proxy.mishaps = () => 503
  const child = start({ account, calls: 20, folder })
  await child.until('end')
  await child.kill()
  proxy.mishaps = []
  await meterOf({ url: server.url }).flush()
  expect(await counted(account)).toBe(0n)
  await meterOf().flush()
  expect(await counted(account)).toBe(20n)
})

test.each([false, true])(
  'a full disk loses nothing while the process lives: aggregate %s',
  async (aggregate) => {
    const account = newAccount()
    proxy.mishaps = () => 503
    const child = start({ account, calls: 300, folder, aggregate, fileKiB: 8, close: 20_000 })
    await child.until('took', 300)
    proxy.mishaps = []
    await child.until('closed true')
    await child.ended
    expect(child.count('problem spool sdk/spool_not_written')).toBeGreaterThan(0)
    const stats = JSON.parse(
      child
        .lines()
        .find((line) => line.startsWith('stats'))!
        .slice(6),
    )
    expect(stats.unspooled).toBeGreaterThan(0)
    expect(await counted(account)).toBe(300n)
    expect(spools()).toEqual([])
  },
)

test('what was on a full disk is sent after kill -9, and nothing that is half-written', async () => {
  const account = newAccount()
  proxy.mishaps = () => 503
  const child = start({ account, calls: 100, folder, fileKiB: 8 })
  await child.until('end')
  await child.kill()
  proxy.mishaps = []
  const { unspooled } = JSON.parse(
    child
      .lines()
      .find((line) => line.startsWith('stats'))!
      .slice(6),
  )
  await meterOf().flush()
  expect(unspooled).toBeGreaterThan(10)
  expect(await counted(account)).toBe(BigInt(100 - unspooled))
  expect(problems).toEqual([])
})

test('what is left when a meter is closed stays on disk, for the next one', async () => {
  const account = newAccount()
  proxy.mishaps = () => 503
  const closed = meterOf()
  for (let at = 0; at < 5; at++) await closed.request({ account, operation: 'SimpleQuery', status: 200 })
  expect(await closed.close({ timeoutMs: 50 })).toBe(false)
  expect(problems.every(({ kind }) => kind === 'retrying')).toBe(true)
  proxy.mishaps = []
  const next = meterOf()
  await next.flush()
  expect(await counted(account)).toBe(5n)
  expect(await next.close()).toBe(true)
  expect(readdirSync(folder)).toEqual([])
})

const UNKNOWN_KEY = 'frt_000000000000000000000000001f22r1'

test('what was refused for a wrong key is on disk, and is sent by the next one, whose key is right', async () => {
  const account = newAccount()
  const wrong = meterOf({ key: UNKNOWN_KEY })
  for (let at = 0; at < 5; at++) await wrong.request({ account, operation: 'SimpleQuery', status: 200 })
  expect(await wrong.flush()).toBe(false)
  expect(problems).toMatchObject([{ kind: 'refused', status: 401, code: 'auth/unknown_key' }])
  expect(await wrong.close({ timeoutMs: 50 })).toBe(false)
  expect(problems.filter(({ kind }) => kind === 'unsent')).toEqual([])
  expect(await meterOf().flush()).toBe(true)
  expect(await counted(account)).toBe(5n)
})

test('what was meant for a url that was wrong is told, and sent when that url is named', async () => {
  const account = newAccount()
  const wrong = meterOf({ url: `${proxy.url}/wrong` })
  for (let at = 0; at < 5; at++) await wrong.request({ account, operation: 'SimpleQuery', status: 200 })
  expect(await wrong.flush()).toBe(false)
  await wrong.close({ timeoutMs: 50 })
  problems = []
  const right = meterOf()
  await right.flush()
  expect(problems).toMatchObject([{ kind: 'spool', code: 'sdk/spool_elsewhere' }])
  expect(problems[0]!.detail).toContain(`has events for ${proxy.url}/wrong,`)
  expect(await counted(account)).toBe(0n)
  expect(await meterOf({ spool: fileSpool({ folder, formerUrls: [`${proxy.url}/wrong/`] }) }).flush()).toBe(
    true,
  )
  expect(await counted(account)).toBe(5n)
})

test('what another one has left is kept while it is refused, and sent when that is put right', async () => {
  const account = newAccount()
  const first = meterOf({ key: UNKNOWN_KEY })
  for (let at = 0; at < 5; at++) await first.request({ account, operation: 'SimpleQuery', status: 200 })
  await first.close({ timeoutMs: 50 })
  proxy.mishaps = () => 403
  const second = meterOf()
  // It looks for what was left first.
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(second.stats()).toMatchObject({ adopted: 5 })
  expect(await second.flush()).toBe(false)
  proxy.mishaps = []
  expect(await second.flush()).toBe(true)
  expect(await counted(account)).toBe(5n)
})

test('a folder that cannot be read any more is told, and ends nothing', async () => {
  const account = newAccount()
  const gone = join(folder, 'gone')
  mkdirSync(gone)
  const spool = fileSpool({ folder: gone })
  const vanishing: Spool = {
    open(owner) {
      const opened = spool.open(owner)
      rmSync(gone, { recursive: true })
      return opened
    },
  }
  const meter = meterOf({ spool: vanishing })
  await meter.request({ account, operation: 'SimpleQuery', status: 200 })
  expect(await meter.flush()).toBe(true)
  expect(problems).toMatchObject([{ kind: 'spool', code: 'sdk/spool_unreadable' }])
  expect(await counted(account)).toBe(1n)
})

/** A folder whose path has so many bytes. */
function folderOf(bytes: number): string {
  return join(folder, 'f'.repeat(bytes - folder.length - 1))
}

test('a folder that cannot be used is refused, with the reason', async () => {
  const longest = meterOf({ spool: fileSpool({ folder: folderOf(64) }) })
  expect(await longest.close()).toBe(true)
  const refused = (path: string) => () => meterOf({ spool: fileSpool({ folder: path }) })
  const unusable = expect.objectContaining({ code: 'sdk/spool_unusable' })
  expect(refused(folderOf(65))).toThrowError(unusable)
  expect(refused(folderOf(65))).toThrowError('longer than 64 bytes')
  // A file is no folder, for root too.
  expect(refused('/dev/null/spool')).toThrowError(unusable)
  expect(() => fileSpool({ folder: '' })).toThrowError('folder is missing')
  expect(() => fileSpool({ folder, fsync: 'often' as never })).toThrowError('fsync is neither')
})
