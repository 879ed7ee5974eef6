import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { REFUSED_EVENTS_OF_KIND_MAX } from '../../src/flows/shared/keep-refusals.ts'
import { explainEvent } from '../../src/flows/read/explain-event.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { type Deployment, deployment, essence } from './deployment.ts'

// An event's identity does not depend on its time: a retry that is stamped again is billed once.

const now = hourOf(Date.now() as Instant)
const first = (now - 6) as Hour
let deployed: Deployment
beforeEach(async () => {
  deployed = await deployment(first)
})
afterEach(() => deployed.close())

function request(id: string, hour: number, minute = 10): Json {
  const time = formatInstant((startOf(hour as Hour) + minute * 60_000) as Instant)
  const data = { operation: 'SimpleQuery', status: 200 }
  return { specversion: '1.0', id, source: 's', type: 'farthing.request', subject: 'acme', time, data }
}

async function billedCalls(): Promise<readonly (readonly [hour: number, quantity: string])[]> {
  const bills = await deployed.billsOf('acme')
  return bills.flatMap(({ lines }) => lines.map((line) => [line.usageHour - now, line.quantity] as const))
}

async function expectProved(): Promise<void> {
  const found: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const difference of verify(deployed.pool, all)) found.push(difference)
  expect(found).toEqual([])
}

test('a retry over the end of the hour is billed once, in the earlier hour', async () => {
  const events = [request('1', first, 59), request('1', first + 1, 0), request('2', first + 1)]
  await deployed.send(events)
  await deployed.settle()
  expect((await deployed.billsOf('acme')).map(essence).map(({ lines }) => lines)).toEqual(
    deployed.paper(events).map(({ lines }) => lines),
  )
  expect(await billedCalls()).toEqual([
    [-6, '1'],
    [-5, '1'],
  ])
  const { rows } = await deployed.pool.query(`select code, id from refused_event where outcome = 'conflict'`)
  expect(rows).toEqual([{ code: 'event/restamped', id: '1' }])
  await expectProved()
  const range = { from: first, to: now, isOwn: false }
  const { stored } = await explainEvent(deployed.pool, { account: 'acme', id: '1', source: 's', ...range })
  expect(stored.map(({ facts }) => [facts.event.hour, facts.duplicateOf])).toEqual([
    [first + 1, first],
    [first, null],
  ])
})

test('one id sent under forty times over weeks of history is billed once', async () => {
  const hours = Array.from({ length: 40 }, (_, index) => first - 24 - index * 30)
  for (const hour of hours) {
    await deployed.send([request('1', hour), request(`own-${hour}`, hour)])
    await deployed.settle()
  }
  const own = (await billedCalls()).filter(([, quantity]) => quantity === '1')
  expect(own).toHaveLength(39)
  expect((await billedCalls()).filter(([, quantity]) => quantity === '2')).toEqual([[hours[0]! - now, '2']])
  await expectProved()
})

async function conflicts(): Promise<number> {
  const { rows } = await deployed.pool.query<{ times: number }>(
    `select coalesce(sum(times), 0)::int as times from refusal_count where outcome = 'conflict'`,
  )
  return rows[0]!.times
}

test('one id sent 1,000 times, with times over 60 days, is billed once; the others are shown as conflicts', async () => {
  const times = Array.from({ length: 1_000 }, (_, index) => Math.floor((index * 60 * 24 * 60) / 1_000))
  const oldest = first - 61 * 24
  const copies = times.map((minutes) => request('1', oldest + Math.floor(minutes / 60), minutes % 60))
  // In no order, and settled in between.
  const order = copies
    .map((copy, index) => ({ copy, at: (index * 7_919) % 1_000 }))
    .sort((a, b) => a.at - b.at)
  for (let start = 0; start < order.length; start += 250) {
    await deployed.send(order.slice(start, start + 250).map(({ copy }) => copy))
    await deployed.settle()
  }
  expect((await billedCalls()).map(([, quantity]) => quantity)).toEqual(['1'])
  // Examples are kept, and all are counted.
  const kept = await deployed.pool.query(`select from refused_event where id = '1' and outcome = 'conflict'`)
  expect(kept.rowCount).toBeGreaterThanOrEqual(REFUSED_EVENTS_OF_KIND_MAX)
  expect(await conflicts()).toBe(999)
  await expectProved()
})

test('copies as far apart as the window are one event, an hour further apart two', async () => {
  const edge = first - 62 * 24
  const beyond = edge - 1
  await deployed.send([request('1', edge), request('1', first), request('2', beyond), request('2', first)])
  await deployed.settle()
  expect(await billedCalls()).toEqual([
    [beyond - now, '1'],
    [edge - now, '1'],
    [-6, '1'],
  ])
})

test('late copies of one cycle: the earlier usage hour stands', async () => {
  await deployed.send([request('a', first), request('b', first + 1)])
  await deployed.settle()
  await deployed.send([request('late', first + 1, 30), request('late', first, 30)])
  await deployed.settle({ graceMs: -3_600_000 })
  const late = (await deployed.billsOf('acme')).at(-1)!
  expect(late.lines.map(({ usageHour, quantity }) => [usageHour - first, quantity])).toEqual([[0, '1']])
  await expectProved()
})
