import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { firstStart } from '../../src/flows/start/first-start.ts'
import { STOP_MS } from '../../src/flows/start/stop-in-time.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { PROGRAM, surroundings } from './cli-run.ts'
import { quiet } from './deployment.ts'
import { requestEvent } from './http-server.ts'

/** A real process with everything in progress that can hold up its stop. */

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

interface Served {
  readonly child: ChildProcess
  readonly url: string
  readonly key: string
  readonly database: TestDatabase
  readonly stderr: () => string
  readonly ended: Promise<number | string | null>
}

/** On a database with usage in an hour that is due. */
async function serve(): Promise<Served> {
  const database = await testDatabase()
  cleanUp.push(() => database.drop())
  const dataDir = mkdtempSync(join(tmpdir(), 'farthing-stop-'))
  cleanUp.push(() => rmSync(dataDir, { recursive: true, force: true }))
  const { pool, connection } = database
  const now = hourOf(Date.now() as Instant)
  const first = await firstStart({
    pool,
    dataDir,
    priceBook: undefined,
    log: quiet,
    firstHour: (now - 2) as Hour,
  })
  if (!first.ok) throw new Error(first.detail)
  const ingest = await createIngest({ pool, log: quiet })
  const time = new Date((now - 2) * 3_600_000).toISOString()
  await ingest.submit([{ raw: requestEvent('due', { time }) as never }], undefined)
  await ingest.close()
  const lock = await pool.connect()
  await lock.query('begin; lock table bill_line in access exclusive mode')
  cleanUp.push(() => lock.release(true))
  const { host, port, user, database: name } = connection
  const url = `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port}`
  const env = surroundings({ PORT: '0', FARTHING_DATA_DIR: dataDir, DATABASE_URL: url, FARTHING_GRACE: '0s' })
  const child = spawn(process.execPath, [PROGRAM, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  cleanUp.push(() => child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stderr.on('data', (text) => (stderr += String(text)))
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  )
  const at = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text) => {
      stdout += String(text)
      const found = /ready at (\S+)\n/.exec(stdout)?.[1]
      if (found) resolve(found)
    })
    void ended.then((code) => reject(new Error(`ended with ${code}: ${stderr}`)))
  })
  const key = readFileSync(join(dataDir, 'admin-key'), 'utf8').trim()
  return { child, url: at, key, database, stderr: () => stderr, ended }
}

/** Sessions of the process, and what hangs in them. */
async function sessionsOf({ database }: Served, state = '%'): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name like 'farthing%'
        and application_name not like 'farthing-test %' and state like $1 and wait_event_type is not null
        and ($1 = '%' or wait_event_type = 'Lock')`,
    [state],
  )
  return rows[0]!.count
}

function half({ url, key }: Served, head: string): void {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(head.replace('KEY', key))
  cleanUp.push(() => socket.destroy())
}

const UPLOAD =
  'POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer KEY\r\ncontent-type: application/json\r\ncontent-length: 16777216\r\n\r\n['

/** Everything at once: settlement and a question that hang, a slow upload, and half a header. */
async function holdUp(served: Served): Promise<void> {
  const { url, key } = served
  await expect.poll(() => sessionsOf(served, 'active'), { timeout: 20_000 }).toBeGreaterThan(0)
  const settling = await sessionsOf(served, 'active')
  void fetch(`${url}/v1/usage?from=2026-01&to=2026-02`, {
    headers: { authorization: `Bearer ${key}` },
  }).catch(() => undefined)
  await expect.poll(() => sessionsOf(served, 'active')).toBeGreaterThan(settling)
  half(served, UPLOAD)
  half(served, 'GET /healthz HTTP/1.1\r\nhost: x\r\nx-half')
  await sleep(300)
}

test('a stop ends in time, with settlement, a question, an upload and half a header in progress', async () => {
  const served = await serve()
  await holdUp(served)
  const began = performance.now()
  served.child.kill('SIGTERM')
  expect([await served.ended, served.stderr()]).toMatchObject([0, expect.stringContaining('Stopped')])
  expect(performance.now() - began).toBeLessThan(STOP_MS)
  // Nothing goes on in the database.
  await expect.poll(() => sessionsOf(served), { timeout: 3_000 }).toBe(0)
})

test('a second signal ends it at once', async () => {
  const served = await serve()
  await holdUp(served)
  served.child.kill('SIGTERM')
  await sleep(1_200)
  const began = performance.now()
  served.child.kill('SIGTERM')
  expect(await served.ended).toBe(130)
  expect(performance.now() - began).toBeLessThan(1_000)
})
