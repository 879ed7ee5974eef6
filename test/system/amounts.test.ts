import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BillLine } from '../../src/core/bill/bill.ts'
import { plain } from '../../src/core/money/decimal.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, startOf } from '../../src/core/time/hour.ts'
import { type AskUsage, type Ranking, readUsage } from '../../src/flows/read/read-usage.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { table } from '../table.ts'
import type { Deployment } from './deployment.ts'
import { ALWAYS, deployedWith, price, thisHour, time } from './price-versions.ts'

// Amounts of every kind through the database: on a bill, in a correction, and in the usage of an hour without a bill.

const FIRST = (thisHour() - 2) as Hour
const THIRTY = '999999999999999999999999999999'

/** used: in time, then late, for the same line. `amount` is that of the first, `together` that of both lines. */
const RATES = table<'unit' | 'per' | 'price' | 'used' | 'late' | 'amount' | 'together'>(`
  unit        | per     | price          | used           | late     | amount               | together
  millisecond | minute  | 0.0084         | 613822         | 1        | 0.08593508           | 0.08593522
  millisecond | hour    | 1              | 1              | 1        | 0.000000277778       | 0.000000555556
  page        | 3       | 0.07           | 2              | 1        | 0.046666666667       | 0.07
  page        | 7       | 1              | ${THIRTY}      | 1        | 142857142857142857142857142857 | 142857142857142857142857142857.142857142857
  pixel       | 1000000 | 0.000000000001 | 3              | 0.5      | 0.000000000000000003 | 0.000000000000000003
  byte        | GiB     | 0.01           | 123456789      | 1        | 0.001149780946       | 0.001149780955
  token       | 1       | 7.0754717      | ${THIRTY}.999999999999 | 0.000000000001 | 7075471699999999999999999999999.999999999993 | 7075471700000000000000000000000
`)
const BOOK = {
  priceBook: 'amounts',
  currency: 'USD',
  items: Object.fromEntries(
    RATES.map(({ unit, per, price: text }, at) => {
      const rate = { operations: [`Work${at}`], unit, per, prices: [price(ALWAYS, text)] }
      return [`Item${at}`, { component: 'processing', rates: { default: rate } }]
    }),
  ),
}

function work(id: string, at: number, hour: number, used: string): Json {
  const data = { operation: `Work${at}`, mode: 'sync', quantities: { [RATES[at]!.unit]: used } }
  const event = { specversion: '1.0', source: 's', type: 'farthing.processing', subject: 'acme' }
  return { ...event, id: `${id}-${at}`, time: time(hour), data }
}

let deployed: Deployment
let usageBefore: readonly string[]
beforeAll(async () => {
  deployed = await deployedWith(BOOK, FIRST)
  await deployed.send(RATES.map(({ used }, at) => work('in-time', at, FIRST, used)))
  usageBefore = await usage()
  await settleUntil(FIRST + 1)
  await deployed.send(RATES.map(({ late }, at) => work('late', at, FIRST, late)))
  await settleUntil(thisHour() + 1)
})
afterAll(() => deployed.close())

async function settleUntil(hour: number): Promise<void> {
  await deployed.settle({ graceMs: Date.now() - startOf(hour as Hour) })
}

/** What the hour comes to, item by item. */
async function usage(): Promise<readonly string[]> {
  const ask: AskUsage & Ranking = {
    account: 'acme',
    range: { from: { kind: 'hour', hour: FIRST }, to: { kind: 'hour', hour: (FIRST + 1) as Hour } },
    window: 'hour',
    timeZone: 'UTC',
    basis: 'usage',
    groupBy: ['item'],
    tags: [],
    filter: {},
    tagFilters: [],
    compare: undefined,
    order: 'key',
    top: undefined,
  }
  const read = await readUsage(deployed.pool, ask)
  if (!read.ok) throw new Error(read.detail)
  return read.usage.rows.map(({ amount }) => plain(amount))
}

async function lines(): Promise<readonly BillLine[]> {
  return (await deployed.billsOf('acme')).flatMap((bill) => bill.lines)
}

test('each line has its amount, to the last of 18 decimals and 30 digits', async () => {
  const [bill] = await deployed.billsOf('acme')
  expect(bill!.lines.map(({ amount }) => amount)).toEqual(RATES.map(({ amount }) => amount))
  // And so they were while they were on no bill.
  expect(usageBefore).toEqual(RATES.map(({ amount }) => amount))
})

test('a correction carries the difference of base units, and has an amount of its own', async () => {
  const corrections = (await lines()).filter(({ corrects }) => corrects !== null)
  expect(corrections.map(({ quantity }) => quantity)).toEqual(RATES.map(({ late }) => late))
})

test('usage is the exact sum of the lines', async () => {
  expect(await usage()).toEqual(RATES.map(({ together }) => together))
})

// Oracle: PostgreSQL's own decimals, from the columns that a bill shows.
test('used x price / per = amount, by the arithmetic of the database', async () => {
  const per =
    "case pricing_unit when 'minute' then 60000 when 'hour' then 3600000 when 'GiB' then 1073741824 else split_part(pricing_unit, ' ', 1)::numeric end"
  const { rows } = await deployed.pool.query(`
    with line as (select amount, quantity * unit_price as product, ${per} as per from bill_line)
    select count(*)::int as lines,
           count(*) filter (where case when mod(product * 1e18, per) = 0 then amount * per = product
             else amount * 1e12 = div(2 * product * 1e12 + per, 2 * per) end)::int as right
      from line`)
  expect(rows).toEqual([{ lines: 2 * RATES.length, right: 2 * RATES.length }])
})

test('a bill is its lines, and everything can be recomputed', async () => {
  const { rows } = await deployed.pool.query(`
    select bool_and(b.total = (select sum(amount) from bill_line l where l.hour = b.hour and l.account = b.account)) as same
      from bill b`)
  expect(rows).toEqual([{ same: true }])
  const found: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const difference of verify(deployed.pool, all)) found.push(difference)
  expect(found).toEqual([])
})

test('the database takes no amount with more decimals than the rule gives it', async () => {
  const set = (column: string, value: string) =>
    deployed.pool.query(`update bill_line set ${column} = ${value} where number = 1 and usage_hour = hour`)
  await expect(set('amount', '0.0000000000000000001')).rejects.toThrow(/amount_check/)
  await expect(set('pricing_quantity', '0.0000000000001')).rejects.toThrow(/pricing_quantity_check/)
})
