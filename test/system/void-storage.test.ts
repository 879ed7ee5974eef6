import { afterAll, beforeAll, expect, test } from 'vitest'
import { decimal, plain, sum } from '../../src/core/money/decimal.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { OPEN_LEVELS_MAX } from '../../src/flows/read/read-open-usage.ts'
import { type OrderedVoids, type OrderVoids, orderVoids } from '../../src/flows/voids/order-voids.ts'
import { VOIDS_PER_TRANSACTION_MAX } from '../../src/flows/voids/void-events.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { type Deployment, deployment } from './deployment.ts'

// Guarantee: what orders to take levels back say of the storage of settled hours is what the next bill corrects.

/** The tests settle the current hour, and must not cross into another one. */
const leftMs = 3_600_000 - (Date.now() % 3_600_000)
if (leftMs < 60_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 100))

const now = hourOf(Date.now() as Instant)
const first = (now - 6) as Hour

let deployed: Deployment
beforeAll(async () => {
  // A GB-hour costs 0.00003.
  deployed = await deployment(first, 'scenarios/price-book.yaml')
})
afterAll(() => deployed.close())

function event(account: string, type: string, id: string, at: number, data: Json): Json {
  const time = formatInstant(at as Instant)
  return { specversion: '1.0', id, source: 's', type: `farthing.${type}`, subject: account, time, data }
}
function level(account: string, id: string, hour: number, gigabytes: number): Json {
  const data = { project: 'p', dataset: 'd', bytes: `${gigabytes}000000000` }
  return event(account, 'storage', id, startOf((first + hour) as Hour) + 900_000, data)
}

async function order(
  account: string,
  select: OrderVoids['select'],
  how: Partial<OrderVoids> = {},
): Promise<OrderedVoids> {
  const asked = {
    account,
    select,
    isDryRun: false,
    after: undefined,
    actor: 'key_1',
    reason: 'a test',
    ...how,
  }
  const done = await orderVoids(deployed.pool, asked)
  if (!done.ok) throw new Error(done.detail)
  return done
}
function byId(id: string): OrderVoids['select'] {
  return { by: 'id', id, source: 's', from: 0 as Hour, to: (now + 1) as Hour }
}
const wholeRange: OrderVoids['select'] = {
  by: 'range',
  filter: {
    from: startOf(first),
    to: startOf((now + 1) as Hour),
    source: undefined,
    type: undefined,
    operation: undefined,
    project: undefined,
    status: undefined,
  },
}
async function orderInParts(account: string, isDryRun: boolean): Promise<readonly OrderedVoids[]> {
  const parts: OrderedVoids[] = []
  for (let after: OrderVoids['after']; ;) {
    const part = await order(account, wholeRange, { isDryRun, after })
    parts.push(part)
    if (part.next === null) return parts
    after = part.next
  }
}

test('one order after the other, and in parts: they add up to the correction lines of the next bill', async () => {
  const requests = Array.from({ length: VOIDS_PER_TRANSACTION_MAX }, (_, index) =>
    event('large', 'request', `r${index}`, startOf(first) + index, { operation: 'SimpleQuery', status: 200 }),
  )
  await deployed.send([
    level('acme', 'l1', 0, 1),
    level('acme', 'l2', 1, 5),
    level('acme', 'l3', 2, 7),
    level('acme', 'l4', 3, 2),
    level('acme', 'l5', 4, 3),
    level('large', 'a', 0, 1),
    level('large', 'z', 2, 4),
    // Others among them: of another series, and of both parts.
    event('large', 'storage', 'b', startOf(first) + 600_000, {
      project: 'p',
      dataset: 'e',
      bytes: '2000000000',
    }),
    event('large', 'storage', 'y', startOf(first) + 7_200_000, {
      project: 'q',
      dataset: 'e',
      bytes: '3000000000',
    }),
    level('large', 'zz', 3, 6),
    level('large', 'x', 1, 2),
    ...requests,
  ])
  await deployed.settle({ graceMs: Date.now() - startOf(now) })

  const said: OrderedVoids[] = []
  for (const [id, storage] of [
    // An hour of 7 GB becomes one of 5 GB.
    ['l3', '-0.00006'],
    // Two hours of 5 GB, since the one above is gone, become as many of 1 GB.
    ['l2', '-0.00024'],
    // An hour of 2 GB: what goes on is the only one that is left before it.
    ['l4', '-0.00003'],
    // Four hours of 1 GB.
    ['l1', '-0.00012'],
  ] as const) {
    const would = await order('acme', byId(id), { isDryRun: true })
    expect([id, would.storage, would.givenBack, would.levels]).toEqual([id, storage, '0', 1])
    said.push(await order('acme', byId(id)))
    expect(said.at(-1)).toEqual(would)
    expect((await order('acme', byId(id))).storage).toBe('0')
  }

  const dry = await orderInParts('large', true)
  const parts = await orderInParts('large', false)
  // A dry run says it with its last part.
  expect(dry.map(({ storage, levels }) => [storage, levels])).toEqual([
    [null, 2],
    [sumOf(parts), 4],
  ])
  expect(parts.map(({ next }) => next === null)).toEqual([false, true])

  await deployed.settle({ graceMs: -3_600_000 })
  expect(await corrected('acme')).toBe(sumOf(said))
  expect(await corrected('large')).toBe(sumOf(parts))
  const differences: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const one of verify(deployed.pool, all)) differences.push(one)
  expect(differences).toEqual([])
})

test('among more levels than fit an answer, what an order changes is not known before the bill', async () => {
  const own = await deployment(first, 'scenarios/price-book.yaml')
  try {
    const levels = Array.from({ length: OPEN_LEVELS_MAX + 1 }, (_, index) => {
      const data = { project: 'p', dataset: 'd', bytes: `${index}` }
      return event('many', 'storage', `l${index}`, startOf(first) + index, data)
    })
    while (levels.length > 0) await own.send(levels.splice(0, 10_000))
    await own.settle({ graceMs: Date.now() - startOf(now) })
    const asked = { account: 'many', after: undefined, actor: 'key_1', reason: 'a test' }
    const would = await orderVoids(own.pool, { ...asked, select: byId('l1'), isDryRun: true })
    expect(would).toMatchObject({ ok: true, levels: 1, storage: null })
    // Most lie before its hour.
    await own.send([level('many', 'later', 1, 1)])
    await own.settle({ graceMs: -3_600_000 })
    const later = await orderVoids(own.pool, { ...asked, select: byId('later'), isDryRun: true })
    expect(later).toMatchObject({ ok: true, levels: 1, storage: expect.any(String) })
  } finally {
    await own.close()
  }
})

function sumOf(orders: readonly OrderedVoids[]): string {
  return plain(sum(orders.map(({ storage }) => decimal(storage!))))
}

/** What the bill of this hour corrects of the storage of older ones. */
async function corrected(account: string): Promise<string> {
  const bill = (await deployed.billsOf(account)).find(({ hour }) => hour === now)
  const lines = bill!.lines.filter((line) => line.component === 'storage' && line.usageHour < now)
  expect(lines.length).toBeGreaterThan(0)
  return plain(sum(lines.map(({ amount }) => decimal(amount))))
}
