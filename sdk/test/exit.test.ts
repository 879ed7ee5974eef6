import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { total, usageOf } from './auditor.ts'
import { type Counting, type CountingProcess, countingProcess } from './counting-process.ts'

/** How processes end that count calls: what was taken must be sent, and nobody must wait for ever. */

let server: TestServer
let folder: string
const running: CountingProcess[] = []

beforeAll(async () => {
  execFileSync(process.execPath, ['bin/prepare.mjs'])
  server = await testServer()
  folder = mkdtempSync(join(tmpdir(), 'farthing-exit-'))
})
afterEach(async () => {
  for (const child of running.splice(0)) await child.kill()
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

function start(options: Partial<Counting> & Pick<Counting, 'account'>): CountingProcess {
  const base = { url: server.url, key: server.adminKey, source: '/sdk-test', calls: 70, batchMs: 60_000 }
  const child = countingProcess({ ...base, ...options })
  running.push(child)
  return child
}

const counted = async (account: string) => total(await usageOf(server.url, server.adminKey, account))

test.each([false, true])(
  'a process that has nothing left to do sends first: aggregate %s',
  async (aggregate) => {
    const account = `end-${aggregate}`
    const child = start({ account, aggregate, ending: 'at once' })
    expect(await child.ended).toBe(0)
    expect(await counted(account)).toBe(70n)
  },
)

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: what was taken is sent, then the signal ends the process',
  async (signal) => {
    const account = `signal-${signal}`
    const child = start({ account, aggregate: signal === 'SIGINT', ending: 'on signals' })
    await child.until('end')
    child.child.kill(signal)
    expect(await child.ended).toBe(signal)
    expect(await counted(account)).toBe(70n)
  },
)

test('without a server a process ends all the same, and its spool keeps what was taken', async () => {
  const account = 'down'
  const child = start({ account, url: 'http://127.0.0.1:9', folder, ending: 'at once', batchMs: 20 })
  const before = Date.now()
  expect(await child.ended).toBe(0)
  expect(Date.now() - before).toBeLessThan(20_000)
  expect(readdirSync(folder).filter((name) => name.endsWith('.spool'))).toHaveLength(1)
})
