import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BODY_BYTES_MAX } from '../../src/http/body/limits.ts'
import { hostileForms, hostileLago, packedForms } from '../unit/hostile-forms.ts'
import { PROGRAM, surroundings } from './cli-run.ts'
import { requestEvent } from './http-server.ts'

// Guarantee: whatever a key of one customer sends, by whatever protocol, a server with a small heap lives, answers its
// probe at once, and takes the usage of others.

const MIB = 1024 * 1024
/** Of the process, its threads, and the bodies that it holds. */
const RSS_MAX = 1_100 * MIB
/** How long a probe may wait; a machine that is slow by itself has ten times what it needs without these bodies. */
const PROBE_MS_MAX = 250

let home: string
let child: ChildProcess
let url: string
let admin: string
let bound: string
let quiet: string
let stderr = ''

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'farthing-hostile-'))
  chmodSync(home, 0o711)
  const settings = { PORT: '0', FARTHING_DATA_DIR: join(home, 'data') }
  const env = surroundings({ ...settings, NODE_OPTIONS: '--max-old-space-size=256' })
  child = spawn(process.execPath, [PROGRAM, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr!.on('data', (text) => (stderr += String(text)))
  let stdout = ''
  url = await new Promise((resolve, reject) => {
    child.stdout!.on('data', (text) => {
      stdout += String(text)
      const [, at] = /ready at (\S+)\n/.exec(stdout) ?? []
      if (at) resolve(at)
    })
    child.once('close', () => reject(new Error(stderr)))
  })
  admin = readFileSync(join(home, 'data', 'admin-key'), 'utf8').trim()
  bound = await makeKey('acme')
  quiet = await makeKey('zeta')
})
afterAll(async () => {
  child.kill('SIGKILL')
  await sleep(100)
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
})

async function makeKey(account: string): Promise<string> {
  const body = JSON.stringify({ name: account, scopes: ['usage:write'], account })
  const answer = await post('/v1/keys', admin, body, { 'content-type': 'application/json' })
  return (JSON.parse(answer.text) as { key: string }).key
}

async function post(path: string, key: string, body: string | Buffer, headers: Record<string, string>) {
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, ...headers },
    body: body as NonNullable<RequestInit['body']>,
  }
  const response = await fetch(url + path, init)
  return { status: response.status, text: await response.text() }
}

/** Milliseconds that each probe has waited while something was going on. */
async function probesWhile(work: () => Promise<unknown>): Promise<readonly number[]> {
  const waited: number[] = []
  let isDone = false
  const probing = (async () => {
    while (!isDone) {
      const began = performance.now()
      const { status } = await fetch(`${url}/healthz`)
      waited.push(performance.now() - began)
      if (status !== 200) throw new Error(`/healthz is ${status}`)
      await sleep(50)
    }
  })()
  try {
    await work()
  } finally {
    isDone = true
  }
  await probing
  return waited
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) * 1024
}

const GZIP = { 'content-encoding': 'gzip' }
const json = { 'content-type': 'application/json' }
const CE = {
  ...json,
  'ce-specversion': '1.0',
  'ce-id': 'b',
  'ce-source': 's',
  'ce-type': 't',
  'ce-subject': 'acme',
}

type Ways = Readonly<Record<string, readonly [path: string, headers: Record<string, string>]>>
const WAYS: Ways = {
  structured: ['/v1/events', { 'content-type': 'application/cloudevents+json' }],
  batch: ['/v1/events', { 'content-type': 'application/cloudevents-batch+json' }],
  plain: ['/v1/events', json],
  lines: ['/v1/events', { 'content-type': 'application/x-ndjson' }],
  binary: ['/v1/events', CE],
  'a dry run': ['/v1/events?dryRun=true', json],
  'a dry run of lines': ['/v1/events?dryRun=true', { 'content-type': 'application/x-ndjson' }],
  openmeter: ['/api/v1/events', json],
  'openmeter 3': ['/api/v3/openmeter/events', { 'content-type': 'application/cloudevents-batch+json' }],
  stripe: ['/v1/billing/meter_events', { 'content-type': 'application/x-www-form-urlencoded' }],
}
const LAGO_WAYS: Ways = {
  'lago batch': ['/api/v1/events/batch', json],
  'lago single': ['/api/v1/events', json],
}

/** The worst of the probes, the statuses, and whether the process is as it was. */
async function attack(ways: Ways, bodies: ReadonlyMap<string, Buffer>, more: Record<string, string> = {}) {
  const idle = Math.max(...(await probesWhile(() => sleep(1_000))))
  const failed: string[] = []
  const answered = new Map<number, number>()
  const waited = await probesWhile(async () => {
    for (const [way, [path, headers]] of Object.entries(ways)) {
      for (const [name, body] of bodies) {
        const sent = await post(path, bound, body, { ...headers, ...more }).catch((error: unknown) =>
          String(error),
        )
        const status = typeof sent === 'string' ? 0 : sent.status
        // Who sends more than the route takes is answered at once, and may meet the end of the connection first.
        if (status === 0 && body.length > (way === 'stripe' ? 65_536 : BODY_BYTES_MAX)) continue
        answered.set(status, (answered.get(status) ?? 0) + 1)
        if (status === 0 || status >= 500)
          failed.push(`${way}, ${name}: ${JSON.stringify(sent).slice(0, 200)}`)
      }
    }
  })
  expect(failed).toEqual([])
  expect(waited.length).toBeGreaterThan(10)
  expect(Math.max(...waited)).toBeLessThan(Math.max(PROBE_MS_MAX, 10 * idle))
  expect([child.exitCode, child.signalCode]).toEqual([null, null])
  expect(residentBytes()).toBeLessThan(RSS_MAX)
  return answered
}

let made = 0
const single = () => JSON.stringify(requestEvent(`quiet-${made++}`, { subject: 'zeta' }))

describe('a server with a heap of 256 MB', { timeout: 600_000 }, () => {
  test('refuses bodies of 16 MiB of every form, by every protocol', async () => {
    const forms = hostileForms(16 * MIB)
    const chosen = [
      'objects',
      'numbers',
      'depth',
      'an object of many keys',
      'one text in a list',
      'line breaks',
    ]
    const more = [
      'elements full of objects',
      'digits',
      'lines of one character',
      'what is not UTF-8 at the end',
    ]
    const bodies = new Map([...chosen, ...more].map((name) => [name, forms.get(name)!]))
    expect((await attack(WAYS, bodies)).has(200)).toBe(true)
  })

  test('refuses packed bodies of 32 MiB that unpack within the limit, and bombs', async () => {
    const forms = hostileForms(32 * MIB)
    const bodies = new Map<string, Buffer>()
    for (const name of ['objects', 'elements full of objects', 'depth of objects', 'escapes'])
      for (const [form, packed] of packedForms(forms.get(name)!)) bodies.set(`${name}, ${form}`, packed)
    await attack({ plain: WAYS['plain']!, 'a dry run': WAYS['a dry run']! }, bodies, GZIP)
  })

  test('refuses every other form, smaller', async () => {
    await attack(WAYS, hostileForms(300_000))
    await attack(WAYS, hostileForms(60_000))
  })

  test('refuses them as events of Lago', async () => {
    const large = hostileLago(15 * MIB)
    const names = ['events: objects', 'events: elements full of objects', 'event: depth', 'beside: objects']
    const chosen = names.map((name) => [`${name}, large`, large.get(name)!] as const)
    await attack(LAGO_WAYS, new Map([...hostileLago(300_000), ...chosen]))
  })

  test('takes events of others while twenty connections do this at once', async () => {
    const bomb = gzipSync(hostileForms(32 * MIB).get('objects')!)
    const full = gzipSync(hostileForms(8 * MIB).get('elements full of objects')!)
    const path = '/v1/events'
    const flood = (async () => {
      for (let round = 0; round < 3; round++) {
        await Promise.all(
          Array.from({ length: 20 }, (_, at) =>
            post(path + (at % 2 ? '?dryRun=true' : ''), bound, at % 3 ? bomb : full, { ...json, ...GZIP }),
          ),
        )
      }
    })()
    let isOver = false
    void flood.finally(() => (isOver = true))
    const took: number[] = []
    while (!isOver) {
      const began = performance.now()
      const { status, text } = await post(path, quiet, single(), json)
      expect([status, text]).toEqual([200, expect.stringContaining('"accepted":1')])
      took.push(performance.now() - began)
      await sleep(20)
    }
    await flood
    expect(took.length).toBeGreaterThan(3)
    expect(Math.max(...took)).toBeLessThan(5_000)
    expect(residentBytes()).toBeLessThan(RSS_MAX)
    expect(stderr).not.toMatch(/run out of memory|because of a bug/)
  })
})
