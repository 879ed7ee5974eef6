import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { audit } from '../simulation/auditor.ts'
import { differences, graceUntil, IDENTITY_WINDOW_MS, started } from '../simulation/drive.ts'
import { priceTable } from '../simulation/prices.ts'
import { type Settle, startWorker } from '../simulation/process.ts'
import type { Deployment } from './deployment.ts'

// Guarantee: any number of processes settle together: no bill twice, none missing, and each has a part in the work. One
// that is killed in the middle leaves its work to the others.

const HOUR_MS = 3_600_000
const currentHour = Math.floor(Date.now() / HOUR_MS)
const firstHour = currentHour - 3
const table = priceTable(firstHour)
const ACCOUNTS = 400
/** More than one transaction takes: an hour is settled in parts. */
const EVENTS_PER_HOUR = 20_000
const HISTORY_HOUR = firstHour - 1_000

let deployed: Deployment
beforeAll(async () => {
  deployed = await started(firstHour, table)
  for (const hour of [firstHour, firstHour + 1]) {
    for (let from = 0; from < EVENTS_PER_HOUR; from += 4_000) await deployed.send(eventsOf(hour, from, 4_000))
  }
  await deployed.send(eventsOf(HISTORY_HOUR, 0, 1_000))
  await deployed.send(eventsOf(HISTORY_HOUR + 5, 0, 1_000))
})
afterAll(() => deployed.close())

function eventsOf(hour: number, from: number, count: number): readonly Json[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index
    const subject = `account-${number % ACCOUNTS}`
    const time = new Date(hour * HOUR_MS + (number % HOUR_MS)).toISOString()
    const data = { operation: 'Search', status: 200 + (number % 4) * 100, project: `p${number % 3}` }
    return {
      specversion: '1.0',
      id: String(number),
      source: `${hour}`,
      type: 'farthing.request',
      subject,
      time,
      data,
    }
  })
}

async function isDone(): Promise<boolean> {
  const { rows } = await deployed.pool.query<{ done: boolean }>(
    `select settled_until = $1 and not exists (select from backfill_hour) as done from deployment`,
    [firstHour + 2],
  )
  return rows[0]!.done
}

test('two processes and one that is killed make all bills, each once, and share the work', async () => {
  const work: Settle = {
    role: 'settle',
    graceMs: graceUntil(firstHour + 2),
    backfillQuietMs: 0,
    identityWindowMs: IDENTITY_WINDOW_MS,
  }
  const start = () => startWorker(deployed.connection, work)
  const [one, two, doomed] = await Promise.all([start(), start(), start()])
  await sleep(300)
  doomed.process.kill('SIGKILL')
  while (!(await isDone())) await sleep(20)
  const done = await Promise.all([one.stop(), two.stop()])
  expect(done.map(({ hours }) => hours > 0)).toEqual([true, true])
  const { findings, bills, late } = await audit(deployed.pool, table, IDENTITY_WINDOW_MS / HOUR_MS)
  expect(findings).toEqual([])
  expect([bills, late]).toEqual([4 * ACCOUNTS, 2 * ACCOUNTS])
  expect(await differences(deployed.pool)).toEqual([])
})
