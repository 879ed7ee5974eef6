import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billId } from '../../src/core/bill/bill-id.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { formatHourStart, type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { table } from '../table.ts'
import { type Deployment, deployment } from './deployment.ts'

// Usage that comes late is billed at the price of its own hour: on that hour's bill if there is none yet, else as a
// correction that names it. Nothing that was issued changes.

const now = hourOf(Date.now() as Instant)
const FIRST = (now - 3) as Hour
const DAY = 24

/** A price of a call for each time that usage is late by. */
function priceBook(): string {
  const prices = [
    ['2020-01-01T00:00:00Z', 1],
    [formatHourStart((now - 100 * DAY) as Hour), 2],
    [formatHourStart((now - 10 * DAY) as Hour), 3],
    [formatHourStart((now - 5) as Hour), 4],
  ] as const
  const terms = prices.map(([from, price]) => `{ from: "${from}", price: "${price}" }`).join(', ')
  const rate = `{ operations: [Search], unit: call, per: 1, prices: [${terms}] }`
  const path = join(mkdtempSync(join(tmpdir(), 'farthing-late-')), 'book.yaml')
  const text = `priceBook: late\ncurrency: USD\nitems:\n  Calls:\n    component: request\n    rates:\n      default: ${rate}\n`
  writeFileSync(path, text)
  return path
}

const CASES = table<'late by' | 'hours' | 'price'>(`
  late by    | hours | price
  an hour    | 2     | 4
  a day      | 24    | 3
  35 days    | 840   | 2
  two years  | 17520 | 1
`)

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment(FIRST, priceBook())
  for (const { hours } of CASES) await send('early', Number(hours))
  await settleUntil(now)
  for (const { hours } of CASES) {
    await send('late', Number(hours))
    await send('other', Number(hours), 'other')
  }
  // The open hour ends early, so that its corrections can be seen.
  await settleUntil(now + 1)
})
afterAll(() => deployed.close())

function send(id: string, hours: number, account = 'acme'): Promise<readonly string[]> {
  const time = formatInstant((startOf((now - hours) as Hour) + 600_000) as Instant)
  const data: Json = { operation: 'Search', status: 200 }
  const event = {
    specversion: '1.0',
    id: `${id}-${hours}`,
    source: 's',
    type: 'farthing.request',
    subject: account,
  }
  return deployed.send([{ ...event, time, data }])
}
async function settleUntil(hour: number): Promise<void> {
  await deployed.settle({ graceMs: Date.now() - startOf(hour as Hour) })
}

for (const { 'late by': lateBy, hours, price } of CASES) {
  const hour = (now - Number(hours)) as Hour

  describe(`late by ${lateBy}`, () => {
    test(`usage of a billed hour is corrected in the open one, at ${price} a call`, async () => {
      const bills = await deployed.billsOf('acme')
      const own = bills.find((bill) => bill.hour === hour)!
      expect(own.lines).toMatchObject([{ quantity: '1', unitPrice: price, amount: price, usageHour: hour }])
      const open = bills.find((bill) => bill.hour === now)!
      const id = billId('acme', hour)
      expect(open.lines.filter((line) => line.usageHour === hour)).toMatchObject([
        { quantity: '1', unitPrice: price, amount: price, corrects: id },
      ])
    })

    test('usage of an hour without a bill gets a bill of its own', async () => {
      const bills = await deployed.billsOf('other')
      const bill = bills.find((one) => one.hour === hour)
      expect(bill?.lines).toMatchObject([
        { quantity: '1', unitPrice: price, usageHour: hour, corrects: null },
      ])
      expect(bill?.late).toBe(true)
    })
  })
}

test('and all of it follows from the facts', async () => {
  const found: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const difference of verify(deployed.pool, all)) found.push(difference)
  expect(found).toEqual([])
})
