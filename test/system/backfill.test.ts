import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bill } from '../../src/core/bill/bill.ts'
import { type Decimal, decimal, plain, plus, ZERO } from '../../src/core/money/decimal.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { hourOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { endImport, importStatus } from '../../src/flows/settle/imports.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { sealBackfill } from '../../src/flows/settle/seal-hours.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import { dyingPool } from '../simulation/dying-pool.ts'
import { type Deployment, deployment, essence, quiet } from './deployment.ts'

/** A day of last year. */
const DAY = Date.parse('2025-03-30T00:00:00Z')
const HOUR_MS = 3_600_000

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment()
})
afterAll(() => deployed.close())

function at(hour: number, minute = 0): string {
  return formatInstant((DAY + hour * HOUR_MS + minute * 60_000) as Instant)
}

function event(account: string, id: string, time: string, kind: string, data: Json): Json {
  return { specversion: '1.0', id, source: 's', type: `farthing.${kind}`, subject: account, time, data }
}

function request(account: string, id: string, time: string): Json {
  return event(account, id, time, 'request', { operation: 'SimpleQuery', status: 200, project: 'photos' })
}

function faces(account: string, id: string, time: string): Json {
  const data = { operation: 'DetectImageFaces', mode: 'sync', quantities: { call: 2 } }
  return event(account, id, time, 'processing', data)
}

function level(account: string, id: string, time: string, bytes: string): Json {
  return event(account, id, time, 'storage', { project: 'photos', dataset: 'd', bytes })
}

/** Three hours of usage on each of some days, relative to `DAY`. */
function usageOf(account: string, days: readonly number[]): readonly (readonly Json[])[] {
  return days.map((day) =>
    [1, 2, 9].flatMap((hour) => [
      request(account, `r${day}-${hour}`, at(day * 24 + hour, 10)),
      faces(account, `p${day}-${hour}`, at(day * 24 + hour, 20)),
      request(account, `q${day}-${hour}`, at(day * 24 + hour, 30)),
    ]),
  )
}

/** What an account's events have put into settlement, and when its past hours were last written to. */
async function workOf(account: string) {
  const rows = async <Row>(text: string) =>
    (await deployed.pool.query<Row & object>(text, [account])).rows as Row[]
  return {
    backfill: await rows<{ hour: number; touched_at: string }>(
      'select hour, touched_at::text from backfill_hour where account = $1 order by hour',
    ),
    late: await rows('select cycle, hour from late_hour where account = $1 order by cycle, hour'),
    held: (await rows('select id from held_event where account = $1')).length,
  }
}

function hourOfEvent(event: Json): number {
  return hourOf(Date.parse((event as { time: string }).time) as Instant)
}

/** What bills say about each usage hour and line key, in whichever bill. Amounts are exact, so they can be compared. */
function chargedBy(bills: readonly Bill[]): ReadonlyMap<string, readonly string[]> {
  const sums = new Map<string, Decimal[]>()
  for (const line of bills.flatMap(({ lines }) => lines)) {
    const name = [line.usageHour, line.item, line.rate, line.operation, line.project].join(' ')
    const [quantity = ZERO, amount = ZERO] = sums.get(name) ?? []
    sums.set(name, [plus(quantity, decimal(line.quantity)), plus(amount, decimal(line.amount))])
  }
  return new Map([...sums].map(([name, parts]) => [name, parts.map(plain)]))
}

function corrections(bills: readonly Bill[]): readonly unknown[] {
  return bills.flatMap(({ hour, lines }) => lines.filter(({ usageHour }) => usageHour !== hour))
}

/** All of a bill that does not depend on the order in which an account's bills were issued. */
function unordered(bill: Bill) {
  return { ...essence(bill), sequence: null }
}

// One deployment for all tests: each has accounts of its own.
describe('days of past usage', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    test(`sent and settled in the order ${order.join(', ')}: one bill an hour, no corrections`, async () => {
      const account = `order-${order.join('')}`
      const days = usageOf(account, order)
      for (const day of days) {
        await deployed.send(day)
        await deployed.settle()
      }
      await settleAll(deployed)
      const bills = await deployed.billsOf(account)
      expect(bills.map(unordered)).toEqual(deployed.paper(days.flat()).map(unordered))
      expect(corrections(bills)).toEqual([])
    })
  }

  test('of two accounts, one after the other had its bills: the same bills', async () => {
    const [first, second] = [usageOf('early', [0]).flat(), usageOf('later', [0]).flat()]
    await deployed.send(first)
    await deployed.settle()
    await deployed.send(second)
    await deployed.settle()
    const bills = [...(await deployed.billsOf('early')), ...(await deployed.billsOf('later'))]
    expect(bills.map(essence)).toEqual(deployed.paper([...first, ...second]).map(essence))
  })

  test('sent twice change nothing, before and after their bills', async () => {
    const day = usageOf('twice', [0]).flat()
    await deployed.send(day)
    expect(new Set(await deployed.send(day))).toEqual(new Set(['duplicate']))
    await deployed.settle()
    const bills = await deployed.billsOf('twice')
    expect(new Set(await deployed.send(day.toReversed()))).toEqual(new Set(['duplicate']))
    await settleAll(deployed)
    expect(await deployed.billsOf('twice')).toEqual(bills)
    expect(bills.map(essence)).toEqual(deployed.paper(day).map(essence))
  })

  test('sent again, alone or among new usage, put no work into settlement and do not renew the quiet time', async () => {
    const [day, more] = [usageOf('again', [0]).flat(), usageOf('again', [1]).flat()]
    const held = event('again', 'held', at(2, 5), 'request', { operation: 'Unheard', status: 200 })
    await deployed.send([...day, held])
    const open = await workOf('again')
    expect(open).toMatchObject({ backfill: [{ hour: expect.any(Number) }, {}, {}], late: [], held: 1 })
    await deployed.send([...day, held])
    expect(await workOf('again')).toEqual(open)
    await deployed.settle()
    const billed = await workOf('again')
    await deployed.send([...day, held, ...more])
    const added = await workOf('again')
    expect(added.backfill.map(({ hour }) => hour)).toEqual(
      more.filter((_, index) => index % 3 === 0).map(hourOfEvent),
    )
    expect({ ...added, backfill: [] }).toEqual({ ...billed, backfill: [] })
  })

  test('of one hour, with a pause longer than the quiet time: the same money, as corrections', async () => {
    const usage = usageOf('pause', [0]).flat()
    const levels = [level('pause', 'l1', at(1, 15), '5000000000'), level('pause', 'l2', at(9, 45), '0')]
    const [before, after] = [usage.slice(0, 5), usage.slice(5)]
    await deployed.send([...before, levels[1]!])
    await deployed.settle()
    const issued = await deployed.billsOf('pause')
    await deployed.send([...after, levels[0]!])
    await settleAll(deployed)
    const bills = await deployed.billsOf('pause')
    const kept = bills.filter(({ id }) => issued.some((bill) => bill.id === id))
    expect(kept).toEqual(issued)
    expect(corrections(bills).length).toBeGreaterThan(0)
    expect(chargedBy(bills)).toEqual(chargedBy(deployed.paper([...usage, ...levels])))
  })

  test('with levels: the hours between two of them have bills too, as if they had been live', async () => {
    const day = [
      level('levels', 'l1', at(1, 30), '1000000000'),
      request('levels', 'r1', at(3, 10)),
      level('levels', 'l2', at(6, 30), '0'),
    ]
    await deployed.send(day)
    await deployed.settle()
    const bills = await deployed.billsOf('levels')
    expect(bills.map(essence)).toEqual(deployed.paper(day).map(essence))
    expect(bills.map(({ hour }) => hour - hourOf(DAY as Instant))).toEqual([1, 2, 3, 4, 5, 6])
  })
})

// Guarantee: no usage is lost, and settlement is not stopped, when usage of an hour comes in that is about to get a
// bill for nothing but what was stored before.
test('usage of an hour that gets a bill for stored data at the same moment is billed once', async () => {
  const levels = [level('carried', 'l1', at(1), '1000'), level('carried', 'l2', at(3), '0')]
  await deployed.send(levels)
  await sealBackfill(deployed.pool, 0)
  // An ingest process that has decided on the event's cycle waits, until the bills of the hours 1 to 3 are issued.
  let settled: Promise<number> | undefined
  const slow = dyingPool(deployed.pool, async (statement) => {
    if (settled === undefined && statement.includes('insert_backfill_hours'))
      await (settled = deployed.settle())
    return undefined
  })
  const ingest = await createIngest({ pool: slow, log: quiet })
  const call = request('carried', 'r1', at(2, 10))
  const submitted = await ingest.submit([{ raw: call }], undefined)
  await ingest.close()
  expect(submitted).toMatchObject({ ok: true, results: [{ outcome: 'accepted' }] })
  expect(await settled).toBe(3)
  await settleAll(deployed)
  const bills = await deployed.billsOf('carried')
  expect(chargedBy(bills)).toEqual(chargedBy(deployed.paper([...levels, call])))
})

/** As an import that names itself, or any other sender. */
async function submit(events: readonly Json[], writer?: string): Promise<void> {
  const batch = events.map((raw) => ({ raw }))
  const submitted = await deployed.ingest.submit(batch, undefined, { writer })
  expect(submitted.ok).toBe(true)
}

describe('the end of an import', () => {
  const QUIET_MS = 3_600_000

  test('seals the hours that it alone wrote, and names those that others wrote to', async () => {
    await submit(usageOf('mine', [0]).flat(), 'import-1')
    await submit([request('mine', 'other', at(9, 50))])
    await submit(usageOf('theirs', [0]).flat())
    expect(await deployed.settle({ backfillQuietMs: QUIET_MS })).toBe(0)
    const shared = [{ account: 'mine', hour: '2025-03-30T09:00:00Z' }]
    expect(await endImport(deployed.pool, 'import-1')).toEqual({ settling: 2, open: 1, shared })
    expect(await deployed.settle({ backfillQuietMs: QUIET_MS })).toBe(2)
    expect(await importStatus(deployed.pool, 'import-1')).toEqual({ settling: 0, open: 1, shared })
    expect((await deployed.billsOf('mine')).map(({ hour }) => hour - hourOf(DAY as Instant))).toEqual([1, 2])
    expect(await deployed.billsOf('theirs')).toEqual([])
    // What stays open is sealed when it has been quiet.
    await deployed.settle()
    expect(await importStatus(deployed.pool, 'import-1')).toEqual({ settling: 0, open: 0, shared: [] })
    expect(corrections(await deployed.billsOf('mine'))).toEqual([])
  })

  test('leaves the hours of another import alone', async () => {
    await submit(usageOf('second', [0]).flat(), 'import-2')
    await submit(usageOf('third', [0]).flat(), 'import-3')
    expect(await endImport(deployed.pool, 'import-2')).toEqual({ settling: 3, open: 0, shared: [] })
    expect(await deployed.settle({ backfillQuietMs: QUIET_MS })).toBe(3)
    expect(await importStatus(deployed.pool, 'import-3')).toEqual({ settling: 0, open: 3, shared: [] })
  })

  test('can come twice, or of an import that sent nothing', async () => {
    expect(await endImport(deployed.pool, 'import-2')).toEqual({ settling: 0, open: 0, shared: [] })
    expect(await endImport(deployed.pool, 'import-9')).toEqual({ settling: 0, open: 0, shared: [] })
  })
})

test('all of these bills follow from their facts', async () => {
  await settleAll(deployed)
  expect(await differences(deployed.pool)).toEqual([])
})
