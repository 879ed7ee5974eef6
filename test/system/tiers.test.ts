import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { type Deployment, deployment } from './deployment.ts'

// An allowance of 10 calls a month, 3 up to 100, then 2. Usage comes in time, late, and is voided; what a month costs
// follows from its sum alone. All usage is of one past month, so that no test runs over its end.

const now = hourOf(Date.now() as Instant)
const month = monthBefore(now)

function monthBefore(hour: Hour): Hour {
  const date = new Date(startOf(hour))
  return hourOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 2) as Instant)
}

function priceBook(): string {
  const tiers = '[{ upTo: "10", price: "0" }, { upTo: "100", price: "3" }, { price: "2" }]'
  const rate = `{ operations: [Search], unit: call, per: 1, prices: [{ from: "2020-01-01T00:00:00Z", tiers: ${tiers} }] }`
  const path = join(mkdtempSync(join(tmpdir(), 'farthing-tiers-')), 'book.yaml')
  const text = `priceBook: tiers\ncurrency: USD\nitems:\n  Calls:\n    component: request\n    rates:\n      default: ${rate}\n`
  writeFileSync(path, text)
  return path
}

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment((now - 3) as Hour, priceBook())
})
afterAll(() => deployed.close())

interface Use {
  readonly id: string
  readonly hour: number
  readonly calls: number
  readonly account?: string
}

async function send({ id, hour, calls, account = 'acme' }: Use): Promise<void> {
  const time = formatInstant((startOf((month + hour) as Hour) + 600_000) as Instant)
  const data: Json = { operation: 'Search', status: 200, count: calls }
  const head = { specversion: '1.0', id, source: 's', type: 'farthing.request', subject: account }
  expect(await deployed.send([{ ...head, time, data }])).toEqual(['accepted'])
}

/** All backfill is sealed and billed. */
async function settle(until: number): Promise<void> {
  await deployed.settle({ graceMs: Date.now() - startOf(until as Hour) })
}

async function linesOf(account: string) {
  const bills = await deployed.billsOf(account)
  return bills
    .toSorted((a, b) => a.sequence - b.sequence)
    .flatMap(({ lines }) =>
      lines.map(({ tier, position, quantity, amount }) => `${tier}: ${position} ${quantity} = ${amount}`),
    )
}

async function differences(): Promise<readonly unknown[]> {
  const found: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const difference of verify(deployed.pool, all)) found.push(difference)
  return found
}

test('usage counts through the tiers of its month, an hour after the other', async () => {
  await send({ id: 'a', hour: 0, calls: 8 })
  await send({ id: 'b', hour: 1, calls: 5 })
  await send({ id: 'c', hour: 2, calls: 100 })
  await settle(now)
  expect(await linesOf('acme')).toEqual([
    '1: 0 8 = 0',
    '1: 8 2 = 0',
    '2: 10 3 = 9',
    '2: 13 87 = 261',
    '3: 100 13 = 26',
  ])
  expect(await differences()).toEqual([])
})

test('a correction goes on at the position that it finds, and another month begins at 0', async () => {
  await send({ id: 'late', hour: 0, calls: 4 })
  await send({ id: 'next', hour: 24 * 32, calls: 4 })
  await settle(now + 1)
  expect((await linesOf('acme')).slice(5)).toEqual(['1: 0 4 = 0', '3: 113 4 = 8'])
  expect(await differences()).toEqual([])
})

test('what is stored of a position is checked', async () => {
  await deployed.pool.query(`update rate_position set position = position + 1 where account = 'acme'`)
  const found = JSON.stringify(await differences())
  expect(found).toContain('kept position of Calls/default')
  await deployed.pool.query(`update rate_position set position = position - 1 where account = 'acme'`)
  await deployed.pool.query(`update bill_line set position = 9 where account = 'acme' and position = 10`)
  expect(JSON.stringify(await differences())).toContain('the lines before it come to 10')
})
