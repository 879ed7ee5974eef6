import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { farthing } from './cli-run.ts'
import { type Mishap, serverProcess, type ServerProcess, unreliable } from './cli-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-import-'))
let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

function call(account: string, number: number, data: object = {}): string {
  return JSON.stringify({
    specversion: '1.0',
    id: `call-${number}`,
    source: '/test',
    type: 'farthing.request',
    subject: account,
    time: '2025-07-28T02:10:00Z',
    data: { operation: 'SimpleQuery', status: 200, ...data },
  })
}

function calls(account: string, count: number): string {
  return Array.from({ length: count }, (_, number) => `${call(account, number)}\n`).join('')
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('every line is sent once and answered for; a second import changes nothing', async () => {
  const path = file('plain.ndjson.gz', gzipSync(calls('plain', 2500)))
  const first = await server.run(['import', path, '--no-wait', '--json'])
  expect(JSON.parse(first.stdout)).toEqual({
    accepted: 2500,
    duplicates: 0,
    conflicts: 0,
    held: 0,
    rejected: 0,
    problems: [],
  })
  expect(first.code).toBe(0)
  const again = await server.run(['import', '-', '--no-wait'], { input: readFileSync(path) })
  expect(again).toMatchObject({ stdout: '2,500 events: 0 accepted, 2,500 duplicates.\n', code: 0 })
})

test('what is not accepted is named by its line, counted, and written to a file', async () => {
  const lines = [
    call('bad', 1),
    '',
    call('bad', 1, { status: 404 }),
    call('bad', 2, { status: 99 }),
    call('bad', 3, { operation: 'Unheard' }),
    '{"cut off',
    `{"id":"${'x'.repeat(1_100_000)}"}`,
    ...Array.from({ length: 12 }, (_, at) => call('bad', 100 + at, { status: 'ok' })),
  ]
  const path = file('bad.ndjson', lines.join('\n'))
  const problems = join(folder, 'problems.ndjson')
  const run = await server.run(['import', path, '--no-wait', '--problems', problems])
  expect(run.code).toBe(3)
  expect(run.stdout).toContain('18 events: 1 accepted, 1 conflict, 1 held, 15 rejected.\n')
  expect(run.stderr.split('\n')).toHaveLength(13)
  expect(run.stderr).toContain(`${path}:3: conflict: `)
  expect(run.stderr).toMatch(/bad\.ndjson:6: rejected: The line is not JSON/)
  expect(run.stderr).toContain(`${path}:7: rejected: The line is longer than 1048576 bytes`)
  expect(run.stderr).toContain(`${path}: 7 more rejected (event/invalid_data)\n`)
  const written = readFileSync(problems, 'utf8').trim().split('\n')
  const named = written.map((line) => JSON.parse(line) as { line: number; code: string })
  expect(named.map(({ line }) => line).sort((a, b) => a - b)).toEqual([
    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
  ])
})

for (const [name, mishaps] of [
  ['a busy server', [429, 503, 'pass', 503, 429]],
  ['lost connections', ['pass', 'cut', 'cut', 'cut after', 'cut after']],
  ['a connection that is lost at once', ['cut', 'cut after']],
] as const satisfies readonly (readonly [string, readonly Mishap[]])[]) {
  test(`${name}: every event still counts once`, async () => {
    const account = name.replaceAll(' ', '-')
    const way = await unreliable(server.url, mishaps)
    const path = file(`${account}.ndjson`, calls(account, 5000))
    const run = await server.run(['import', path, '--no-wait', '--json', '--url', way.url])
    way.server.close()
    expect(run.code).toBe(0)
    const { accepted, duplicates } = JSON.parse(run.stdout) as { accepted: number; duplicates: number }
    expect(accepted + duplicates).toBe(5000)
    expect(way.requests()).toBe(5 + mishaps.filter((mishap) => mishap !== 'pass').length)
    const again = await server.run(['import', path, '--no-wait', '--json'])
    expect(JSON.parse(again.stdout)).toMatchObject({ accepted: 0, duplicates: 5000, conflicts: 0 })
  })
}

/** A port on which nothing listens. */
async function closedPort(): Promise<string> {
  const { url, server: once } = await unreliable('', [])
  await new Promise((resolve) => once.close(resolve))
  return url
}

test('no server: one line that says how to start it, and nothing is tried again', async () => {
  const path = file('none.ndjson', call('none', 1))
  const url = await closedPort()
  const run = await server.run(['import', path, '--url', url])
  const advice = 'start it with `farthing serve`, or name another with --url or FARTHING_URL.'
  expect(run).toEqual({ stdout: '', stderr: `farthing: No server answers at ${url}: ${advice}\n`, code: 1 })
})

test('a key that may not send: the reason, once', async () => {
  const key = (await server.good('keys', 'create', 'reader', '--scope', 'bills:read')).trim()
  const run = await server.run(['import', file('key.ndjson', calls('key', 3000))], {
    env: { FARTHING_KEY: key },
  })
  expect(run).toMatchObject({ stdout: '', code: 1 })
  expect(run.stderr).toBe(
    'farthing: The key lacks the scope usage:write: use one that has it. (auth/missing_scope)\n',
  )
})

test('no key: where it was looked for', async () => {
  const run = await farthing(['bills'], { env: { FARTHING_DATA_DIR: folder } })
  expect(run).toMatchObject({ stdout: '', code: 1 })
  expect(run.stderr).toContain(`There is no key in ${folder}/admin-key: start the server first`)
})

test('Ctrl-C says what was sent, and that it can be sent again', async () => {
  // The second request and all after it are never answered well.
  const way = await unreliable(server.url, ['pass', ...Array.from({ length: 10_000 }, (): Mishap => 503)])
  const path = file('stopped.ndjson', calls('stopped', 3000))
  const options = { signal: { name: 'SIGINT', after: /trying again/ } } as const
  const run = await server.run(['import', path, '--url', way.url], options)
  way.server.close()
  expect(run).toMatchObject({ stdout: '', code: 130 })
  expect(run.stderr).toContain('Stopped. 1,000 events: 1,000 accepted so far. Import it again')
})
