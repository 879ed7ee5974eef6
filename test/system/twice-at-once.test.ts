import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverProcess, type ServerProcess } from './cli-server.ts'
import { inUnits } from './used-in-units.ts'

// Guarantee: a key that sends every batch twice at once makes another key wait no longer than for a few commits, and
// nothing of either is lost or counted twice.

const BATCHES = 30
const BATCH_EVENTS = 1000
/** Of any answer to the quiet key, on a machine that has other things to do. A stuck queue takes far longer. */
const QUIET_MS_MAX = 5000

let server: ServerProcess
const keys: Record<string, string> = {}
beforeAll(async () => {
  server = await serverProcess()
  const admin = readFileSync(join(server.dataDir, 'admin-key'), 'utf8').trim()
  for (const account of ['loud', 'quiet']) {
    const response = await fetch(`${server.url}/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        name: account,
        scopes: ['usage:write', 'usage:read'],
        account,
        expiresAt: null,
      }),
    })
    keys[account] = ((await response.json()) as { readonly key: string }).key
  }
})
afterAll(() => server.close())

const AT = new Date().toISOString()

function events(account: string, batch: number, count: number): string {
  const data = { operation: 'SimpleQuery', status: 200 }
  const head = { specversion: '1.0', source: '/twice', type: 'farthing.request', subject: account, time: AT }
  return JSON.stringify(Array.from({ length: count }, (_, at) => ({ ...head, id: `${batch}-${at}`, data })))
}

interface Answer {
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: number
  readonly rejected: number
}

/** Sent until it is taken: 429 and 503 ask for that. */
async function send(account: string, body: string): Promise<Answer> {
  for (;;) {
    const response = await fetch(`${server.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys[account]}`, 'content-type': 'application/json' },
      body,
    })
    if (response.ok) return (await response.json()) as Answer
    await response.text()
    expect([429, 503]).toContain(response.status)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function used(account: string): Promise<string> {
  const day = 86_400_000
  const [from, to] = [-day, day].map((apart) => new Date(Date.now() + apart).toISOString().slice(0, 13))
  const url = `${server.url}/v1/usage?from=${from}Z&to=${to}Z&window=month&groupBy=account`
  const response = await fetch(url, { headers: { authorization: `Bearer ${keys[account]}` } })
  const { items } = (await response.json()) as { readonly items: readonly Record<string, unknown>[] }
  return inUnits<{ quantity: string }>(items)
    .map(({ quantity }) => quantity)
    .join()
}

test('one key sends every batch twice at once beside a quiet key', async () => {
  let isLoud = true
  const waits: number[] = []
  const quiet = (async () => {
    for (let batch = 0; isLoud; batch++) {
      const begin = performance.now()
      expect(await send('quiet', events('quiet', batch, 1))).toMatchObject({ accepted: 1, duplicates: 0 })
      waits.push(performance.now() - begin)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  const answers: Answer[] = []
  for (let batch = 0; batch < BATCHES; batch += 3) {
    const bodies = [0, 1, 2].map((more) => events('loud', batch + more, BATCH_EVENTS))
    const sent = [...bodies, ...bodies].map((body) => send('loud', body))
    answers.push(...(await Promise.all(sent)))
  }
  isLoud = false
  await quiet
  const sum = (name: keyof Answer) => answers.reduce((total, answer) => total + answer[name], 0)
  const all = BATCHES * BATCH_EVENTS
  expect([sum('accepted'), sum('duplicates'), sum('conflicts'), sum('rejected')]).toEqual([all, all, 0, 0])
  expect(await used('loud')).toBe(String(all))
  expect(await used('quiet')).toBe(String(waits.length))
  expect(waits.length).toBeGreaterThan(5)
  expect(Math.max(...waits)).toBeLessThan(QUIET_MS_MAX)
}, 180_000)
