import { afterEach, beforeEach, expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { orderVoids } from '../../src/flows/voids/order-voids.ts'
import { previewVoids, voidEvents, type Voided } from '../../src/flows/voids/void-events.ts'
import { dyingPool, ProcessDied } from '../simulation/dying-pool.ts'
import { type Deployment, deployment } from './deployment.ts'

// Voiding usage: what was not billed never is; what was is given back in the open hour; the identity stays taken.

const now = hourOf(Date.now() as Instant)
const first = (now - 6) as Hour
let deployed: Deployment
beforeEach(async () => {
  deployed = await deployment(first)
})
afterEach(() => deployed.close())

function event(type: string, id: string, hour: number, data: { readonly [key: string]: Json }): Json {
  const time = formatInstant((startOf(hour as Hour) + 600_000) as Instant)
  return { specversion: '1.0', id, source: 's', type: `farthing.${type}`, subject: 'acme', time, data }
}
function request(id: string, hour: number, status = 200, operation = 'SimpleQuery'): Json {
  return event('request', id, hour, { operation, status })
}
function level(id: string, hour: number, bytes: string): Json {
  return event('storage', id, hour, { project: 'photos', dataset: 'd', bytes })
}
function key(id: string, hour: number) {
  return { hour: hour as Hour, bucket: bucketOf('acme'), account: 'acme', id, source: 's' }
}
function takeBack(...keys: readonly (readonly [id: string, hour: number])[]): Promise<Voided> {
  const order = { actor: 'key_1', reason: 'sent by mistake', what: 'of a test' }
  return voidEvents(
    deployed.pool,
    order,
    keys.map(([id, hour]) => key(id, hour)),
  )
}
/** Settle the hours from `first` to the one before the last, and then all, so that corrections are billed. */
async function settleUntil(hour: number): Promise<void> {
  await deployed.settle({ graceMs: Date.now() - startOf(hour as Hour) })
}
async function lines() {
  const bills = await deployed.billsOf('acme')
  return bills.flatMap((bill) =>
    bill.lines.map((line) => ({
      bill: bill.hour - now,
      usage: line.usageHour - now,
      item: line.item,
      quantity: line.quantity,
      waived: line.waived,
      amount: line.amount,
      corrects: line.corrects,
    })),
  )
}
async function billed(item = 'StandardQueryL0') {
  return (await lines())
    .filter((line) => line.item === item)
    .map(({ bill, usage, quantity, waived }) => [bill, usage, quantity, waived])
}
async function expectProved(): Promise<void> {
  const found: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const difference of verify(deployed.pool, all)) found.push(difference)
  expect(found).toEqual([])
}

test('what is not billed yet never appears on a bill, and its identity stays taken', async () => {
  await deployed.send([request('1', first), request('2', first)])
  expect((await takeBack(['1', first])).decisions.map(({ cycle, counted }) => [cycle, counted])).toEqual([
    [first, first],
  ])
  expect(await deployed.send([request('1', first)])).toEqual(['duplicate'])
  await settleUntil(first + 1)
  expect(await billed()).toEqual([[-6, -6, '1', '0']])
  await expectProved()
})

test('an hour of which everything was voided has no bill, and its facts are proved all the same', async () => {
  await deployed.send([request('1', first)])
  await takeBack(['1', first])
  await settleUntil(first + 1)
  expect(await deployed.billsOf('acme')).toEqual([])
  await expectProved()
  await deployed.pool.query(`update voided_event set reason = 'another'`)
  await expect(expectProved()).rejects.toThrow('to deeply equal')
})

test('what is billed is given back once, in the open hour, at its own price, naming the bill; a credit', async () => {
  await deployed.send([request('1', first), request('2', first)])
  await settleUntil(first + 2)
  expect(await takeBack(['1', first])).toMatchObject({ already: 0, decisions: [{ counted: first }] })
  expect(await takeBack(['1', first])).toEqual({ already: 1, decisions: [] })
  await deployed.pool.query(`update voided_event set cycle = $1`, [first + 2])
  await settleUntil(first + 3)
  const own = { usage: -6, item: 'StandardQueryL0', waived: '0' }
  const corrects = (await deployed.billsOf('acme'))[0]!.id
  expect(await lines()).toEqual([
    { ...own, bill: -6, quantity: '2', amount: '0.00001', corrects: null },
    { ...own, bill: -4, quantity: '-1', amount: '-0.000005', corrects },
  ])
  expect((await deployed.billsOf('acme'))[1]!.total).toBe('-0.000005')
  await expectProved()
})

test('waived usage, once voided, is waived no more', async () => {
  await deployed.send([request('1', first, 503), request('2', first, 503)])
  await settleUntil(first + 2)
  await takeBack(['1', first])
  await deployed.pool.query(`update voided_event set cycle = $1`, [first + 2])
  await settleUntil(first + 3)
  expect(await billed()).toEqual([
    [-6, -6, '0', '2'],
    [-4, -6, '0', '-1'],
  ])
  await expectProved()
})

test('a level that was voided was never in force: its hours are billed again', async () => {
  await deployed.send([level('1', first, '1000000000'), level('2', first + 1, '5000000000')])
  await settleUntil(first + 3)
  await takeBack(['2', first + 1])
  await deployed.pool.query(`update voided_event set cycle = $1`, [first + 3])
  await settleUntil(first + 5)
  const hour = 3_600_000_000_000_000n
  const storage = await billed('IndexStorage')
  const sums = new Map<unknown, bigint>()
  for (const [, usage, quantity] of storage)
    sums.set(usage, (sums.get(usage) ?? 0n) + BigInt(quantity as string))
  expect([...sums].sort(([a], [b]) => Number(a) - Number(b))).toEqual([
    [-6, (hour * 5n) / 6n],
    [-5, hour],
    [-4, hour],
    [-3, hour],
    [-2, hour],
  ])
  await expectProved()
})

test('a level that was voided in time, and one that follows it, leave no trace of it', async () => {
  await deployed.send([level('1', first, '1000000000'), level('2', first, '9')])
  await takeBack(['2', first])
  await settleUntil(first + 2)
  expect(await billed('IndexStorage')).toEqual([
    [-6, -6, '3000000000000000', '0'],
    [-5, -5, '3600000000000000', '0'],
  ])
  await expectProved()
})

test('a held event that was voided is held no more, and counts nowhere', async () => {
  await deployed.send([request('1', first, 200, 'NoSuch'), request('2', first + 3, 200, 'NoSuch')])
  await settleUntil(first + 2)
  const { decisions } = await takeBack(['1', first], ['2', first + 3])
  expect(decisions.map(({ counted }) => counted)).toEqual([null, first + 3])
  expect((await deployed.pool.query('select from held_event')).rowCount).toBe(0)
  await settleUntil(now)
  expect(await deployed.billsOf('acme')).toEqual([])
  await expectProved()
})

test('an hour that is sealed, and not settled yet, bills the event; the open hour gives it back', async () => {
  await deployed.send([request('1', first)])
  await deployed.settle({ graceMs: Date.now() - startOf((first + 1) as Hour), stopping: () => true })
  expect((await deployed.pool.query('select hour from cycle')).rows).toEqual([{ hour: first }])
  await takeBack(['1', first])
  await deployed.pool.query(`update voided_event set cycle = $1`, [first + 1])
  await settleUntil(first + 2)
  expect(await billed()).toEqual([
    [-6, -6, '1', '0'],
    [-5, -6, '-1', '0'],
  ])
  await expectProved()
})

test('the copy of an event that was voided does not count in its place', async () => {
  // The copy comes afterwards, for an earlier hour that is settled first; another one for a later hour.
  await deployed.send([request('1', first + 2)])
  await takeBack(['1', first + 2])
  await deployed.send([request('1', first), request('1', first + 3), request('2', first)])
  await settleUntil(now)
  expect(await billed()).toEqual([[-6, -6, '1', '0']])
  expect((await deployed.pool.query('select hour from conflict_event order by hour')).rows).toEqual([
    { hour: first },
    { hour: first + 3 },
  ])
  await expectProved()
})

test('a copy that is voided changes nothing: its original counts on', async () => {
  await deployed.send([request('1', first), request('1', first + 1)])
  await settleUntil(first + 3)
  expect((await takeBack(['1', first + 1])).decisions.map(({ counted }) => counted)).toEqual([null])
  await settleUntil(now)
  expect(await billed()).toEqual([[-6, -6, '1', '0']])
  await expectProved()
})

test('history that is open is left out of its own bill; settled history is given back', async () => {
  const old = first - 1_000
  await deployed.send([request('1', old), request('2', old), request('3', old)])
  await takeBack(['1', old])
  await deployed.settle({ graceMs: Date.now() - startOf(first) })
  await takeBack(['2', old])
  await deployed.pool.query(`update voided_event set cycle = $1 where id = '2'`, [first])
  await settleUntil(first + 1)
  expect(await billed()).toEqual([
    [old - now, old - now, '2', '0'],
    [-6, old - now, '-1', '0'],
  ])
  await expectProved()
})

test('a preview says the same and changes nothing', async () => {
  await deployed.send([request('1', first), request('2', first)])
  const preview = await previewVoids(deployed.pool, [key('1', first), key('2', first)])
  expect((await deployed.pool.query('select from voided_event')).rowCount).toBe(0)
  expect(await takeBack(['1', first], ['2', first])).toEqual(preview)
})

// Guarantee: whatever statement an order dies at, it was carried out with its entry of the audit log, or not at all.
test('an order that is killed at any statement, and given again, takes the event back once', async () => {
  const KILLS = 24
  await deployed.send(Array.from({ length: KILLS * 2 }, (_, index) => request(`${index}`, first)))
  let deaths = 0
  for (let index = 0; index < KILLS * 2; index++) {
    let statements = 0
    const isKilled = () => ++statements === Math.floor(index / 2) + 1
    const dying = dyingPool(deployed.pool, () =>
      isKilled() ? (index % 2 === 0 ? 'before' : 'after') : undefined,
    )
    const select = { by: 'id', id: `${index}`, source: undefined, from: first, to: now } as const
    const order = { account: 'acme', select, isDryRun: false, after: undefined, actor: 'k', reason: 'r' }
    await orderVoids(dying, order).catch((error: unknown) => {
      if (!(error instanceof ProcessDied)) throw error
      deaths++
    })
    const again = await orderVoids(deployed.pool, order)
    expect(again).toMatchObject({ ok: true, events: 1 })
  }
  // Every statement that an order has was the last one, once before and once after it.
  expect(deaths).toBeGreaterThanOrEqual(20)
  const voids = await deployed.pool.query('select from voided_event')
  const entries = await deployed.pool.query(`select from audit_entry where act = 'event/void'`)
  expect([voids.rowCount, entries.rowCount]).toEqual([KILLS * 2, KILLS * 2])
  await settleUntil(now)
  expect(await deployed.billsOf('acme')).toEqual([])
  await expectProved()
}, 60_000)
