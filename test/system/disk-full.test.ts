import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROGRAM, surroundings } from './cli-run.ts'
import { requestEvent } from './http-server.ts'

// Guarantee: a disk that is really full loses nothing that was accepted. It is told by name, to senders and to operators,
// and Farthing and its PostgreSQL go on by themselves when there is room again.

const MIB = 1024 * 1024
/** The data of a new deployment takes 40 MiB of them. */
const DISK_MIB = 160

const base = mkdtempSync(join(tmpdir(), 'farthing-full-'))
const disk = join(base, 'disk')
let child: ChildProcess
let url: string
let key: string
let stderr = ''
let ended: Promise<unknown>

/** Only root can, and not in every container. */
const canMount = (() => {
  mkdirSync(disk)
  chmodSync(base, 0o711)
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=755`, 'none', disk]).status === 0
})()

beforeAll(async () => {
  if (!canMount) return
  const env = surroundings({ PORT: '0', FARTHING_DATA_DIR: join(disk, 'data') })
  child = spawn(process.execPath, [PROGRAM, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr!.on('data', (text) => (stderr += String(text)))
  ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)))
  let stdout = ''
  url = await new Promise((resolve, reject) => {
    child.stdout!.on('data', (text) => {
      stdout += String(text)
      const [, at] = /ready at (\S+)\n/.exec(stdout) ?? []
      if (at) resolve(at)
    })
    child.once('close', () => reject(new Error(stderr)))
  })
  key = readFileSync(join(disk, 'data', 'admin-key'), 'utf8').trim()
})
afterAll(async () => {
  if (canMount) {
    child.kill('SIGTERM')
    await ended
    spawnSync('umount', [disk])
  }
  rmSync(base, { recursive: true, force: true })
})

/** What is asked of an answer here. */
interface Json {
  readonly code?: string
  readonly reasons?: readonly string[]
}

interface Answer {
  readonly status: number
  readonly json: Json
}

async function ask(path: string, body?: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const response = await fetch(
    url + path,
    body === undefined ? { headers } : { method: 'POST', headers, body },
  )
  return { status: response.status, json: (await response.json()) as Json }
}

let made = 0
/** Of those that were answered 200. */
const accepted: object[] = []

async function send(count: number): Promise<Answer> {
  const padding = 'x'.repeat(1_000)
  const events = Array.from({ length: count }, () => {
    const data = { operation: 'SimpleQuery', status: 200, padding }
    return requestEvent(`event-${made++}`, { data })
  })
  const answer = await ask('/v1/events', JSON.stringify(events))
  if (answer.status === 200) accepted.push(...events)
  return answer
}

async function refusedAtLast(): Promise<Answer> {
  for (;;) {
    const answer = await send(500)
    if (answer.status !== 200) return answer
  }
}

/** Leave so much room on the disk. */
function fill(mib: number): void {
  const file = openSync(join(disk, 'filler'), 'w')
  const piece = Buffer.alloc(MIB / 4, 1)
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(disk)
      if (bavail * bsize < mib * MIB + piece.length && mib > 0) return
      writeSync(file, piece)
    }
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(file)
  }
}

async function readiness(): Promise<string> {
  const { status, json } = await ask('/readyz')
  return `${status} ${json.reasons?.join(' ')}`
}

/** Once there is room, all that was answered 200 is there, once; and more is taken. */
async function goesOn(): Promise<void> {
  rmSync(join(disk, 'filler'))
  await expect.poll(async () => (await send(1)).status, { timeout: 60_000, interval: 200 }).toBe(200)
  await expect.poll(readiness, { timeout: 60_000, interval: 200 }).toMatch(/^200 /)
  for (let from = 0; from < accepted.length; from += 1_000) {
    const again = accepted.slice(from, from + 1_000)
    const { json } = await ask('/v1/events', JSON.stringify(again))
    expect(json).toMatchObject({ accepted: 0, duplicates: again.length })
  }
  expect(stderr).not.toMatch(/because of a bug/)
}

describe.runIf(canMount)('a disk without room', { timeout: 300_000 }, () => {
  test('for tables: 503 by name, not ready, reading goes on', async () => {
    expect((await send(10)).status).toBe(200)
    fill(0)
    expect(await refusedAtLast()).toMatchObject({ status: 503, json: { code: 'service/disk_full' } })
    await expect
      .poll(readiness, { timeout: 30_000, interval: 200 })
      .toMatch(/^503 The disk of the database is full: free or add space\..*has \d MiB left/)
    expect((await ask('/healthz')).status).toBe(200)
    expect((await ask('/v1/bills')).status).toBe(200)
    await goesOn()
  })

  test('for the log of transactions, whose end is the end of every session: /readyz names the disk', async () => {
    // Tables find room, and the next segment of the log, of 16 MiB, does not.
    fill(13)
    const { status, json } = await refusedAtLast()
    expect(status).toBe(503)
    expect(['service/disk_full', 'ingest/unavailable', 'service/unavailable']).toContain(json.code)
    await expect.poll(readiness, { timeout: 30_000, interval: 200 }).toMatch(/^503 .*has \d+ MiB left/)
    expect((await ask('/healthz')).status).toBe(200)
    await sleep(500)
    await goesOn()
  })

  test('and the server stops as ever', async () => {
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})
