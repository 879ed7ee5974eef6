import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { type Deployment, deployment } from './deployment.ts'

// Guarantee: whatever is read or stored in portions, the last portion counts as the others do; and no hour is sealed
// before it has ended and its grace is over.

/** More than are stored at once. */
const ACCOUNTS = 2_001
/** More than are read at once. */
const EVENTS = 5_001

const now = hourOf(Date.now() as Instant)
let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment((now - 3) as Hour)
})
afterAll(() => deployed.close())

function call(subject: string, id: number, hour: number): Json {
  const time = formatInstant(startOf(hour as Hour))
  const data = { operation: 'SimpleQuery', status: 200 }
  return { specversion: '1.0', id: String(id), source: 's', type: 'farthing.request', subject, time, data }
}

async function send(events: readonly Json[]): Promise<void> {
  for (let at = 0; at < events.length; at += 1_000) await deployed.send(events.slice(at, at + 1_000))
}

test('an hour of more accounts than are stored at once has a bill for each', async () => {
  await send(Array.from({ length: ACCOUNTS }, (_, index) => call(`account-${index}`, 1, now - 3)))
  await deployed.settle()
  const { rows } = await deployed.pool.query('select count(*)::int as bills from bill')
  expect(rows).toEqual([{ bills: ACCOUNTS }])
})

test('an hour of one account with more events than are read at once has all of them on its bill', async () => {
  await send(Array.from({ length: EVENTS }, (_, index) => call('large', index, now - 50)))
  await deployed.settle()
  const [bill] = await deployed.billsOf('large')
  expect(bill!.lines.map(({ quantity }) => quantity)).toEqual([String(EVENTS)])
})

test('an hour is sealed when it has ended and its grace is over, and not before', async () => {
  const fresh = await deployment((now - 3) as Hour)
  const sealedUntil = async () => {
    const { rows } = await fresh.pool.query<{ sealed: number }>(
      'select sealed_until as sealed from deployment',
    )
    return rows[0]!.sealed - now
  }
  // As if half of the current hour were over, whatever the minute is.
  const intoHourMs = Date.now() - startOf(now) - 1_800_000
  for (const [graceMs, sealed] of [
    [1_800_000 + 1_000, -1],
    [1_800_000 - 60_000, 0],
    [0, 0],
  ] as const) {
    await fresh.settle({ graceMs: graceMs + intoHourMs })
    expect(await sealedUntil()).toBe(sealed)
  }
  await fresh.close()
})
