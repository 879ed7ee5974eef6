import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requestEvent, testServer, type TestServer } from './http-server.ts'
import { inUnits } from './used-in-units.ts'

/** Questions over an open hour with many events, beside the single events of another key. */

const OPEN_EVENTS = 50_000
const BATCH = 5_000
/** As the one that floods asks: more at once than it may have. */
const ASKED = 12
const SINGLES = 60
/** What the other key may notice: so much, or so many times what it has alone. */
const P90_MS_MAX = 250
const P90_TIMES_MAX = 20

let server: TestServer
let [bound, other] = ['', '']
beforeAll(async () => {
  server = await testServer({ shares: { questionsMax: 3 }, readingSessions: 6 })
  bound = await server.key(['usage:read', 'usage:write'], 'acme')
  other = await server.key(['usage:write'], 'other')
  for (let sent = 0; sent < OPEN_EVENTS; sent += BATCH) {
    const events = Array.from({ length: BATCH }, (_, index) => requestEvent(`open ${sent + index}`))
    const { json } = await server.send(events, { key: bound })
    if (json.accepted !== BATCH) throw new Error(`the open hour was not filled: ${JSON.stringify(json)}`)
  }
})
afterAll(() => server.close())

const DAY_MS = 86_400_000
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** How long each of some single events takes, one after the other, slowest last. */
async function singles(name: string): Promise<readonly number[]> {
  const latencies: number[] = []
  for (let n = 0; n < SINGLES; n++) {
    const from = performance.now()
    const { json } = await server.send(requestEvent(`${name} ${n}`, { subject: 'other' }), { key: other })
    latencies.push(performance.now() - from)
    expect(json.accepted).toBe(1)
    await sleep(10)
  }
  return latencies.toSorted((a, b) => a - b)
}

test('twelve questions of one key over 50,000 open events do not delay the events of another', async () => {
  await singles('warm')
  const alone = await singles('alone')
  const usage = `/v1/usage?from=${day(Date.now() - DAY_MS)}&to=${day(Date.now() + 2 * DAY_MS)}`
  const asked = Array.from({ length: ASKED }, () => server.ask(usage, { key: bound }))
  const beside = await singles('beside')
  const readiness = await server.ask('/healthz')
  const answers = await Promise.all(asked)
  expect(readiness.status).toBe(200)
  const counted = answers.filter(({ status }) => status === 200)
  expect(counted.length).toBeGreaterThanOrEqual(3)
  for (const { json } of counted) {
    const quantities = inUnits(json.items).map(({ quantity }) => Number(quantity))
    expect(quantities.reduce((sum, quantity) => sum + quantity, 0)).toBe(OPEN_EVENTS)
  }
  // On a slow machine some have waited for too long.
  const refused = answers.filter(({ status }) => status !== 200).map(({ json }) => String(json.code))
  expect(new Set([...refused, 'request/too_many_questions']).size).toBe(1)
  // The slowest few of so few are a matter of luck on a busy machine.
  const p90 = (latencies: readonly number[]) => latencies[Math.floor(0.9 * SINGLES)]!
  expect(p90(beside)).toBeLessThan(Math.max(P90_MS_MAX, P90_TIMES_MAX * p90(alone)))
})
