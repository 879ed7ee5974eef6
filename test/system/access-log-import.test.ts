import { spawn } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PROGRAM, surroundings } from './cli-run.ts'
import { type Mishap, serverProcess, type ServerProcess, unreliable } from './cli-server.ts'
import { untilTrue } from './nginx.ts'
import { inUnits } from './used-in-units.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-access-log-'))
let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
})
afterAll(async () => {
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const OPERATIONS = 'operations: { "GET /q": SimpleQuery }'
const FORMAT = `'$time_iso8601 "$request" $status $request_id'`
const withIds = (account: string) =>
  file(
    `${account}.yaml`,
    `format: nginx\nlogFormat: ${JSON.stringify(FORMAT.slice(1, -1))}\naccount: { value: ${account} }\n${OPERATIONS}\n`,
  )
const byPlace = (account: string) =>
  file(`${account}.yaml`, `format: combined\naccount: { value: ${account} }\n${OPERATIONS}\n`)

function idLine(id: string): string {
  return `2025-07-28T02:10:00+00:00 "GET /q HTTP/1.1" 200 ${id}\n`
}

/** The same text again and again: only the place tells such lines apart. */
const SAME = '::1 - - [28/Jul/2025:02:10:00 +0000] "GET /q HTTP/1.1" 200 5 "-" "-"\n'
function line(second: number): string {
  return SAME.replace(':00 +', `:${String(second).padStart(2, '0')} +`)
}

async function usedBy(account: string): Promise<number> {
  const key = readFileSync(join(server.dataDir, 'admin-key'), 'utf8').trim()
  const query = new URLSearchParams({
    account,
    from: '2025-07-28T00:00:00Z',
    to: '2025-07-29T00:00:00Z',
    window: 'day',
  })
  const answer = await fetch(`${server.url}/v1/usage?${query.toString()}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const { items } = (await answer.json()) as { readonly items: readonly Record<string, unknown>[] }
  return inUnits(items).reduce((sum, { quantity }) => sum + Number(quantity), 0)
}

async function imported(map: string, ...paths: readonly string[]): Promise<Record<string, number>> {
  const run = await server.run(['import', '--map', map, '--no-wait', '--json', ...paths])
  if (run.code !== 0) throw new Error(run.stderr)
  const { problems: _, ...counts } = JSON.parse(run.stdout) as { problems: unknown } & Record<string, number>
  return counts
}

test('a log that grows from nothing keeps the identity of each line, also below 4 kB, renamed and packed', async () => {
  const map = byPlace('grows')
  const path = file('grows.log', SAME.slice(0, 40))
  expect(await imported(map, path)).toMatchObject({ accepted: 0, unfinished: 1 })
  appendFileSync(path, SAME.slice(40) + SAME + SAME.slice(0, 10))
  expect(await imported(map, path)).toMatchObject({ accepted: 2, unfinished: 1 })
  appendFileSync(path, SAME.slice(10) + SAME.repeat(57))
  expect(await imported(map, path)).toMatchObject({ accepted: 58, duplicates: 2, conflicts: 0 })
  appendFileSync(path, SAME.repeat(100))
  const renamed = file('renamed.gz', gzipSync(readFileSync(path)))
  expect(await imported(map, renamed)).toMatchObject({ accepted: 100, duplicates: 60, conflicts: 0 })
  expect(await imported(map, path)).toMatchObject({ accepted: 0, duplicates: 160, conflicts: 0 })
  expect(await usedBy('grows')).toBe(160)
})

test('with a state the next import begins where the last one ended, and at the beginning when that is not certain', async () => {
  const map = byPlace('state')
  const path = file('state.log', SAME + line(1).repeat(1500))
  const state = join(folder, 'state.json')
  const next = async (...paths: readonly string[]) => {
    const run = await server.run(['import', '--map', map, '--state', state, '--no-wait', '--json', ...paths])
    const { accepted, duplicates, rejected } = JSON.parse(run.stdout) as Record<string, number>
    return [accepted, duplicates, rejected]
  }
  expect(await next(path)).toEqual([1501, 0, 0])
  appendFileSync(path, line(2).repeat(10))
  expect(await next(path)).toEqual([10, 0, 0])
  // Rotated: the old one is known under its new name, the new one is not.
  renameSync(path, `${path}.1`)
  writeFileSync(path, line(3).repeat(100))
  expect(await next(`${path}.1`, path)).toEqual([100, 0, 0])
  // Truncated, and begun again with more than there was. From a line that was refused on, all is read again.
  writeFileSync(path, `${line(4).repeat(200)}nonsense\n${line(4).repeat(5)}`)
  expect(await next(path)).toEqual([205, 0, 1])
  appendFileSync(path, line(4))
  expect(await next(path)).toEqual([1, 205, 1])
  // Another mapping may read lines otherwise.
  writeFileSync(map, `${readFileSync(map, 'utf8')}# another mapping\n`)
  expect(await next(`${path}.1`)).toEqual([0, 1511, 0])
  expect(await next(`${path}.1`)).toEqual([0, 0, 0])
  const other = await server.run(['import', '--map', map, '--state', path, path])
  expect(other.stderr).toContain(
    'state.log is no state of an import, and would be overwritten: name another file.',
  )
})

/** Import these files, and be killed in the midst of it, or done before. */
async function killedImport(
  options: readonly string[],
  paths: readonly string[],
  afterMs: number,
): Promise<void> {
  const env = surroundings({ FARTHING_URL: server.url, FARTHING_DATA_DIR: server.dataDir })
  const child = spawn(process.execPath, [PROGRAM, 'import', ...options, '--no-wait', ...paths], {
    env,
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  await ended
  clearTimeout(timer)
}

test('killed anywhere, with rotation and truncation in between: nothing is lost, nothing counts twice', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 100_000)
  const map = byPlace('killed')
  const options = ['--map', map, '--state', join(folder, 'killed.json')]
  const live = file('killed.log', '')
  const rotated: string[] = []
  let [written, state] = [0, seed]
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  for (let round = 0; round < 6; round++) {
    const count = 1 + random(6000)
    // Each log begins in a second of its own, as one does that is made by a rotation.
    const lines = Array.from({ length: count }, (_, at) => line(Math.min(59, round * 9 + at)))
    appendFileSync(live, lines.join(''))
    written += count
    await killedImport(options, [...rotated, live], 300 + random(1200))
    const next = join(folder, `killed.log.${round}`)
    if (round % 3 === 0) renameSync(live, next)
    else if (round % 3 === 1) {
      copyFileSync(live, next)
      truncateSync(live)
    } else continue
    rotated.push(round % 2 === 0 ? packed(next) : next)
  }
  await imported(map, '--state', join(folder, 'killed.json'), ...rotated, ...(existsSync(live) ? [live] : []))
  expect([seed, await usedBy('killed')]).toEqual([seed, written])
  const counts = await imported(map, ...rotated, ...(existsSync(live) ? [live] : []))
  expect([seed, counts['accepted'], counts['duplicates'], counts['conflicts']]).toEqual([seed, 0, written, 0])
})

function packed(path: string): string {
  return file(`${path.slice(folder.length + 1)}.gz`, gzipSync(readFileSync(path)))
}

test('a bad line is named, kept with its text, and the rest goes on', async () => {
  const path = file('bad.log', `${SAME}nonsense\n${SAME}${SAME.replace('GET /q', 'GET /x')}`)
  const problems = join(folder, 'bad.ndjson')
  const run = await server.run(['import', '--map', byPlace('bad'), path, '--no-wait', '--problems', problems])
  expect(run.code).toBe(3)
  expect(run.stdout).toContain('3 events: 2 accepted, 1 rejected; 1 without a template.\n')
  expect(run.stderr).toContain(`${path}:2: rejected: The line is not as the format says, from remote_user on`)
  expect(run.stderr).toContain(
    `${path}:4: rejected: No template matches GET /x: add one to operations or to ignore.`,
  )
  const kept = readFileSync(problems, 'utf8')
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as object)
  expect(kept).toMatchObject([
    { file: path, line: 2, code: 'log/unreadable', text: 'nonsense' },
    { file: path, line: 4, code: 'log/no_route' },
  ])
})

test('standard input needs a request id, and --format a mapping: both say what to do', async () => {
  const run = await server.run(['import', '-', '--map', byPlace('input')], { input: SAME })
  expect(run).toMatchObject({ stdout: '', code: 2 })
  expect(run.stderr).toMatch(/^farthing: Lines of standard input have no place .*: log a request id/)
  const bare = await server.run(['import', 'x.log', '--format', 'alb'])
  expect(bare.stderr).toBe(
    'farthing: --format needs --map FILE, which says what each request of the log is: see docs/access-logs.md.\n',
  )
  expect(bare.code).toBe(2)
})

/** A log that is followed: what `tail -F` would write. */
function follow(account: string, url: string) {
  const env = surroundings({ FARTHING_URL: url, FARTHING_DATA_DIR: server.dataDir })
  const args = [PROGRAM, 'import', '-', '--map', withIds(account), '--no-wait']
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (text) => (output += String(text)))
  child.stderr.on('data', (text) => (output += String(text)))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, ended, output: () => output }
}

test('a log that is followed is sent within a second or so; SIGTERM sends what was read, and all is well', async () => {
  const { child, ended, output } = follow('followed', server.url)
  child.stdin.write(idLine('a1') + idLine('a2'))
  // It may start slowly. From then on lines go out while the input stays open.
  await untilTrue(async () => (await usedBy('followed')) === 2, 20_000)
  child.stdin.write(idLine('a3'))
  await untilTrue(async () => (await usedBy('followed')) === 3, 5_000)
  child.stdin.write(idLine('a4') + idLine('a5').slice(0, 20))
  await sleep(200)
  child.kill('SIGTERM')
  expect([await ended, output()]).toEqual([0, expect.stringMatching(/4 events: 4 accepted/)])
  expect(await usedBy('followed')).toBe(4)
})

test('a busy server is tried again until it takes a log that is followed, and the end of input is a clean end', async () => {
  const mishaps: Mishap[] = ['pass', 429, 503, 'cut', 429, 'cut after', 503]
  const way = await unreliable(server.url, mishaps)
  const { child, ended, output } = follow('busy', way.url)
  child.stdin.write(idLine('b0'))
  await untilTrue(async () => (await usedBy('busy')) === 1, 20_000)
  child.stdin.end(Array.from({ length: 2500 }, (_, at) => idLine(`c${at}`)).join(''))
  const code = await ended
  way.server.close()
  expect([code, output()]).toEqual([0, expect.stringContaining('2,501 events: ')])
  expect(await usedBy('busy')).toBe(2501)
  expect(way.requests()).toBeGreaterThanOrEqual(mishaps.length + 1)
})
