import { spawn } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PROGRAM, type Run, surroundings } from './cli-run.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'
import { inUnits } from './used-in-units.ts'

/**
 * Lines without a request id are named by their file and place. Guarantee: of logs of several servers, and of one log
 * under several names, each line counts once, or is reported with the file and exit code 3.
 */

const home = mkdtempSync(join(tmpdir(), 'farthing-log-identity-'))
let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
})
afterAll(async () => {
  await server?.close()
  rmSync(home, { recursive: true, force: true })
})

/** A line of a second, 82 bytes and the agent. */
function line(second: number, agent = '-', request = 'GET /q'): string {
  const time = new Date(Date.UTC(2025, 6, 28, 2, 0, second)).toISOString().slice(11, 19)
  return `::1 - - [28/Jul/2025:${time} +0000] "${request} HTTP/1.1" 200 5 "-" "${agent}"\n`
}

function lines(from: number, count: number): string {
  return Array.from({ length: count }, (_, at) => line(from + at)).join('')
}

interface Place {
  readonly folder: string
  readonly write: (name: string, content: string | Buffer) => string
  /** `import` with these options and files of the folder. */
  readonly run: (...args: readonly string[]) => Promise<Result>
  readonly counted: () => Promise<number>
}

interface Result extends Run {
  /** accepted, duplicates, rejected. */
  readonly counts: readonly (number | undefined)[]
}

let accounts = 0

function place(): Place {
  const account = `account-${++accounts}`
  const folder = join(home, account)
  mkdirSync(folder)
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const map = `format: combined\naccount: { value: ${account} }\noperations: { "GET /q": SimpleQuery }\nignore: [GET /healthz]\n`
  write('m.yaml', map)
  const args = (rest: readonly string[]) => {
    const paths = rest.map((one) => (/\.(?:log|gz|state|\d+)$/.test(one) ? join(folder, one) : one))
    return ['import', '--map', join(folder, 'm.yaml'), '--no-wait', '--json', ...paths]
  }
  return {
    folder,
    write,
    run: async (...rest) => withCounts(await server.run(args(rest))),
    counted: () => usedBy(account),
  }
}

function withCounts(run: Run): Result {
  const { accepted, duplicates, rejected } = JSON.parse(run.stdout || '{}') as Record<string, number>
  return { ...run, counts: [accepted, duplicates, rejected] }
}

async function usedBy(account: string): Promise<number> {
  const key = readFileSync(join(server.dataDir, 'admin-key'), 'utf8').trim()
  const range = { from: '2025-07-28T00:00:00Z', to: '2025-07-29T00:00:00Z', window: 'day' }
  const query = new URLSearchParams({ account, ...range })
  const answer = await fetch(`${server.url}/v1/usage?${query.toString()}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const { items } = (await answer.json()) as { readonly items: readonly Record<string, unknown>[] }
  return inUnits(items).reduce((sum, { quantity }) => sum + Number(quantity), 0)
}

interface Form {
  readonly a: string | Buffer
  readonly b: string | Buffer
  /** Lines of each. */
  readonly count: readonly [number, number]
}

const SAME = lines(0, 60)
/** Two logs of two servers whose beginnings are equal to the byte. */
const FORMS: Readonly<Record<string, Form>> = {
  'one line in common': { a: line(0) + line(1), b: line(0) + line(2), count: [2, 2] },
  'some 5,000 bytes in common': { a: SAME + line(61), b: SAME + line(62), count: [61, 61] },
  '300 lines in common, and then 50 and 70': {
    a: lines(0, 300) + lines(400, 50),
    b: lines(0, 300) + lines(500, 70),
    count: [350, 370],
  },
  '300 lines in common, and then one': {
    a: lines(0, 300) + lines(400, 50),
    b: lines(0, 300) + line(500),
    count: [350, 301],
  },
  'all lines of the second in common': { a: lines(0, 9), b: lines(0, 4), count: [9, 4] },
  'all lines of the first in common': { a: line(0), b: lines(0, 7), count: [1, 7] },
  'a difference that is not billed': { a: line(0) + line(1, 'a'), b: line(0) + line(1, 'b'), count: [2, 2] },
  'equal lines, another number of them': { a: line(0).repeat(5), b: line(0).repeat(8), count: [5, 8] },
  'CRLF and blank lines': {
    a: `\r\n${line(0).replace('\n', '\r\n')}\r\n${line(1)}`,
    b: `\r\n${line(0).replace('\n', '\r\n')}\r\n${line(2)}`,
    count: [2, 2],
  },
  'what follows in the second is ignored': {
    a: line(0) + line(1),
    b: line(0) + line(1, '-', 'GET /healthz'),
    count: [2, 2],
  },
  'a second that is packed': {
    a: lines(0, 30) + line(40),
    b: gzipSync(lines(0, 30) + line(50)),
    count: [31, 31],
  },
  'one line in common, of more than 4 kB': {
    a: line(0, 'x'.repeat(5000)) + line(1),
    b: line(0, 'x'.repeat(5000)) + line(2),
    count: [2, 2],
  },
}

/** The other log is refused as a whole, so that under a source of its own it counts as a whole. */
async function expectRefused(result: Result, count: number): Promise<void> {
  expect(result.stderr).toMatch(/b\.log:\d+: rejected: The first .*(?:it is another log).*--source NAME/)
  expect([result.code, result.counts[2]]).toEqual([3, count])
}

for (const [name, { a, b, count }] of Object.entries(FORMS)) {
  const [ofA, ofB] = count
  const billedOfB = name.includes('ignored') ? ofB - 1 : ofB

  test(`in one import: ${name}`, async () => {
    const { write, run, counted } = place()
    write('a.log', a)
    write('b.log', b)
    const both = await run('a.log', 'b.log')
    await expectRefused(both, ofB)
    expect([both.counts.slice(0, 2), await counted()]).toEqual([[ofA, 0], ofA])
    const again = await run('--source', '/b', 'b.log')
    expect([again.code, again.counts, await counted()]).toEqual([0, [billedOfB, 0, 0], ofA + billedOfB])
    await expectRefused(await run('a.log', 'b.log'), ofB)
    expect((await run('--source', '/b', 'b.log')).counts).toEqual([0, billedOfB, 0])
    expect(await counted()).toBe(ofA + billedOfB)
  })

  test(`in two imports with one state: ${name}`, async () => {
    const { write, run, counted } = place()
    write('a.log', a)
    write('b.log', b)
    expect((await run('--state', 'one.state', 'a.log')).code).toBe(0)
    await expectRefused(await run('--state', 'one.state', 'b.log'), ofB)
    expect(await counted()).toBe(ofA)
    const again = await run('--state', 'one.state', '--source', '/b', 'b.log')
    expect([again.code, again.counts, await counted()]).toEqual([0, [billedOfB, 0, 0], ofA + billedOfB])
    // The state knows both now, each under its source.
    expect((await run('--state', 'one.state', 'a.log')).counts).toEqual([0, 0, 0])
    expect((await run('--state', 'one.state', '--source', '/b', 'b.log')).counts).toEqual([0, 0, 0])
  })
}

test('the first log may be gone when the second one is imported: what differs is seen by the state', async () => {
  const { folder, write, run, counted } = place()
  write('a.log', lines(0, 20) + line(30))
  expect((await run('--state', 'one.state', 'a.log')).code).toBe(0)
  rmSync(join(folder, 'a.log'))
  write('b.log', lines(0, 20) + line(31))
  await expectRefused(await run('--state', 'one.state', 'b.log'), 21)
  expect(await counted()).toBe(21)
})

test('a copy counts once, and that is said', async () => {
  const { folder, write, run, counted } = place()
  write('a.log', lines(0, 30))
  write('b.log', lines(0, 30))
  write('c.gz', gzipSync(lines(0, 30)))
  const result = await run('a.log', 'b.log', 'c.gz', 'a.log')
  expect([result.code, result.counts, await counted()]).toEqual([0, [30, 90, 0], 30])
  expect(result.stderr).toContain(
    `${join(folder, 'b.log')} is a copy of ${join(folder, 'a.log')}: the 30 lines of both count once.`,
  )
  expect(result.stderr).toContain(`c.gz is a copy of`)
})

test('with a state a log keeps its place: grown, renamed, packed, copied and truncated, and each line counts once', async () => {
  const { folder, write, run, counted } = place()
  const [live, first, second] = ['live.log', 'live.log.1', 'live.log.2'].map((name) => join(folder, name))
  const next = async (...names: readonly string[]) => {
    const { code, counts, stderr } = await run('--state', 'one.state', ...names)
    return [code, ...counts, stderr.includes('rejected')]
  }
  write('live.log', '')
  expect(await next('live.log')).toEqual([0, 0, 0, 0, false])
  appendFileSync(live!, line(0).slice(0, 30))
  expect(await next('live.log')).toEqual([0, 0, 0, 0, false])
  appendFileSync(live!, line(0).slice(30) + lines(1, 5))
  expect(await next('live.log')).toEqual([0, 6, 0, 0, false])
  appendFileSync(live!, lines(6, 300))
  renameSync(live!, first!)
  write('live.log', lines(1000, 4))
  expect(await next('live.log.1', 'live.log')).toEqual([0, 304, 0, 0, false])
  appendFileSync(live!, line(1004))
  copyFileSync(live!, second!)
  truncateSync(live!)
  appendFileSync(live!, line(2000))
  expect(await next('live.log.1', 'live.log.2', 'live.log')).toEqual([0, 2, 0, 0, false])
  write('live.log.1.gz', gzipSync(readFileSync(first!)))
  rmSync(first!)
  expect(await next('live.log.1.gz', 'live.log.2', 'live.log')).toEqual([0, 0, 0, 0, false])
  expect(await counted()).toBe(6 + 304 + 2)
  // From the beginning and without the state everything is a duplicate.
  const again = await run('live.log.1.gz', 'live.log.2', 'live.log')
  expect([again.code, again.counts]).toEqual([0, [0, 312, 0]])
  const args = ['import', '--map', join(folder, 'm.yaml'), '--no-wait', second!]
  expect((await server.run(args)).stderr).toContain('5 duplicates of an earlier import: of the same log, or')
})

test('a log that was edited where it was imported is another one: none of it counts again', async () => {
  const { write, run, counted } = place()
  write('b.log', lines(0, 50))
  expect((await run('--state', 'one.state', 'b.log')).counts).toEqual([50, 0, 0])
  write('b.log', lines(0, 20) + line(100) + lines(21, 40))
  await expectRefused(await run('--state', 'one.state', 'b.log'), 61)
  expect(await counted()).toBe(50)
})

test('lines that are no events may be common to all logs', async () => {
  const { write, run, counted } = place()
  const head = line(0, '-', 'GET /healthz').repeat(3)
  write('a.log', head + line(1))
  write('b.log', head + line(2))
  const both = await run('--state', 'one.state', 'a.log', 'b.log')
  expect([both.code, both.counts, await counted()]).toEqual([0, [2, 0, 0], 2])
})

test('equal lines of one log are as many requests', async () => {
  const { write, run, counted } = place()
  write('a.log', line(0).repeat(1500))
  expect((await run('a.log')).counts).toEqual([1500, 0, 0])
  expect(await counted()).toBe(1500)
})

/** With files that a shell makes of programs, as `<(ssh one cat access.log)` does: they can be read once. */
function runPipes({ folder }: Place, ...sources: readonly string[]): Promise<Result> {
  const files = sources.map((name) => `<(cat ${join(folder, name)})`).join(' ')
  const command = `exec "$0" "$1" import --map ${join(folder, 'm.yaml')} --no-wait --json ${files}`
  const env = surroundings({ FARTHING_URL: server.url, FARTHING_DATA_DIR: server.dataDir })
  const child = spawn('bash', ['-c', command, process.execPath, PROGRAM], { env })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text) => (stdout += String(text)))
  child.stderr.on('data', (text) => (stderr += String(text)))
  return new Promise((resolve) =>
    child.once('close', (code) => resolve(withCounts({ stdout, stderr, code }))),
  )
}

test.each([
  ['one line in common', [2, 0, 2], 2],
  ['some 5,000 bytes in common', [61, 0, 61], 61],
  ['300 lines in common, and then one', [351, 0, 300], 351],
  ['all lines of the second in common', [9, 0, 4], 9],
  ['all lines of the first in common', [7, 0, 1], 7],
] as const)('pipes of two servers: %s', async (name, counts, counted) => {
  const here = place()
  here.write('a.log', FORMS[name]!.a)
  here.write('b.log', FORMS[name]!.b)
  const result = await runPipes(here, 'a.log', 'b.log')
  expect(result.stderr).toMatch(/\/dev\/fd\/\d+:\d+: rejected: The first .* it is another log/)
  expect([result.code, result.counts, await here.counted()]).toEqual([3, counts, counted])
})

test('a state of version 0.1, whose lines had other names, is refused', async () => {
  const { write, run } = place()
  write('a.log', line(0))
  write('old.state', '{"kind":"farthing import state","key":"k","files":[]}\n')
  const result = await run('--state', 'old.state', 'a.log')
  expect([result.code, result.stdout]).toEqual([1, ''])
  expect(result.stderr).toContain('"After an update from 0.1"')
})

test('--source is for access logs, and has a name', async () => {
  const { write, run } = place()
  write('a.log', line(0))
  expect((await run('--source', '', 'a.log')).code).toBe(2)
  const events = await server.run(['import', '--source', '/x', join(home, 'none')])
  expect([events.code, events.stderr]).toEqual([
    2,
    'farthing: --source is for access logs: name a mapping with --map.\n',
  ])
})
