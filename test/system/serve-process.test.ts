import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { farthing, PROGRAM, surroundings } from './cli-run.ts'
import { requestEvent } from './http-server.ts'

/** The process as a user starts it: its own PostgreSQL, signals, exit codes. */

let home: string
let dataDir: string
const running: ChildProcess[] = []

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'farthing-process-'))
  // As root PostgreSQL runs as another user, who must be able to enter.
  chmodSync(home, 0o711)
  dataDir = join(home, 'data')
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

interface Served {
  readonly child: ChildProcess
  readonly url: string
  readonly stdout: () => string
  readonly stderr: () => string
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>
}

async function serve(): Promise<Served> {
  const env = surroundings({ PORT: '0', FARTHING_DATA_DIR: dataDir })
  const child = spawn(process.execPath, [PROGRAM, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  let [stdout, stderr] = ['', '']
  child.stderr.on('data', (text) => (stderr += String(text)))
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  )
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text) => {
      stdout += String(text)
      const found = /ready at (\S+)\n[^\n]*\n/.exec(stdout)?.[1]
      if (found) resolve(found)
    })
    void ended.then((code) => reject(new Error(`ended with ${code}: ${stderr}`)))
  })
  return { child, url, stdout: () => stdout, stderr: () => stderr, ended }
}

test('says one URL and where the key is, stops cleanly, and finds everything again', async () => {
  const first = await serve()
  const key = readFileSync(join(dataDir, 'admin-key'), 'utf8').trim()
  // Its output is no terminal: a log of a service has no key.
  expect(first.stdout() + first.stderr()).not.toContain(key)
  expect(first.stdout()).toContain(join(dataDir, 'admin-key'))
  const send = await fetch(`${first.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(requestEvent('kept')),
  })
  expect(await send.json()).toMatchObject({ accepted: 1 })
  first.child.kill('SIGINT')
  expect(await first.ended).toBe(0)
  expect(first.stderr()).toMatch(/Stopping/)

  const second = await serve()
  expect(second.stdout()).not.toContain(key)
  expect(second.stdout()).toContain(join(dataDir, 'admin-key'))
  const found = await fetch(`${second.url}/v1/events?account=acme&id=kept`, {
    headers: { authorization: `Bearer ${key}` },
  })
  expect(await found.json()).toMatchObject({ stored: [{ state: 'open' }] })
  second.child.kill('SIGTERM')
  expect(await second.ended).toBe(0)
})

/** Send a body whose second half comes a second later, with two signals in between. */
function postSlowly({ url, child }: Served, headers: Readonly<Record<string, string>>, body: string) {
  const all = { ...headers, 'content-length': Buffer.byteLength(body) }
  return new Promise<string>((resolve, reject) => {
    const posting = request(`${url}/v1/events`, { method: 'POST', headers: all }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => resolve(text))
    })
    posting.on('error', reject)
    posting.write(body.slice(0, body.length / 2))
    setTimeout(() => {
      child.kill('SIGINT')
      child.kill('SIGTERM')
    }, 300)
    setTimeout(() => posting.end(body.slice(body.length / 2)), 1_000)
  })
}

// Large deliveries are stored by threads, which are started by the first of them.
test.each([1, 500])(
  'finishes a delivery of %d in flight before it stops; signals that are one count once',
  async (count) => {
    const served = await serve()
    const key = readFileSync(join(dataDir, 'admin-key'), 'utf8').trim()
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const body = (name: string) =>
      JSON.stringify(Array.from({ length: count }, (_, id) => requestEvent(`${name} of ${count}: ${id}`)))
    await fetch(`${served.url}/v1/events`, { method: 'POST', headers, body: body('first') })
    await sleep(1_000)
    const answer = postSlowly(served, headers, body('in flight'))
    expect(JSON.parse(await answer)).toMatchObject({ accepted: count })
    expect(await served.ended).toBe(0)
    expect(served.stderr()).not.toMatch(/warn|error/i)
  },
)

test('what it cannot do is one line, and exit code 1', async () => {
  const { code, stderr, stdout } = await farthing(['serve'], {
    env: { PORT: 'many', FARTHING_DATA_DIR: dataDir },
  })
  // Sources that have just changed are compiled first.
  const line = stderr.replace('farthing: compiling…\n', '')
  expect([code, stdout, line]).toEqual([
    1,
    '',
    'farthing: PORT is "many": set it to a number from 0 to 65535.\n',
  ])
})

test('a newer schema that this version may not write to ends it with 78, and it says why', async () => {
  const served = await serve()
  const client = new pg.Client({ host: join(dataDir, 'socket'), user: 'farthing', database: 'farthing' })
  client.on('error', () => {})
  await client.connect()
  const rise = (to: number) => client.query('update farthing.deployment set min_writer = $1', [to])
  await rise(9_999)
  expect(await served.ended).toBe(78)
  expect(served.stderr()).toMatch(/This process ends its work\. .*start a newer Farthing/)
  await client.end().catch(() => undefined)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} while it starts ends it soon, with nothing left running`, async () => {
    const dir = join(home, `early-${signal}`)
    for (const afterMs of [600, 1_200, 2_000, 3_000]) {
      const env = surroundings({ PORT: '0', FARTHING_DATA_DIR: dir })
      const child = spawn(process.execPath, [PROGRAM, 'serve'], { env, stdio: 'ignore' })
      running.push(child)
      await sleep(afterMs)
      const begun = performance.now()
      child.kill(signal)
      const code = await new Promise((resolve) => child.once('close', (exit, by) => resolve(exit ?? by)))
      // Before the program has installed its handlers, the signal ends it by itself.
      expect([0, signal]).toContain(code)
      expect(performance.now() - begun).toBeLessThan(15_000)
      expect(existsSync(join(dir, 'postgres/postmaster.pid'))).toBe(false)
    }
  })
}
