import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { formatHourStart, type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { publishPriceBook } from '../../src/flows/prices/publish-price-book.ts'
import { sealDue } from '../../src/flows/settle/seal-hours.ts'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import type { EventKey } from '../../src/store/key-columns.ts'
import { differences, graceUntil, settleAll } from '../simulation/drive.ts'
import { type Deployment, deployment } from './deployment.ts'

// Stored data whose price is unknown has no line, and is charged when a later price book gives a price for its hours.

const now = hourOf(Date.now() as Instant)
const first = (now - 6) as Hour
const HOUR_MS = 3_600_000

/** Hours from the first live one, and a price, `free` or `unknown` from there on. */
type Terms = readonly (readonly [from: number, price: string])[]

const CALLS = {
  component: 'request',
  rates: {
    default: { operations: ['Get'], unit: 'call', per: 1, prices: [{ from: hour(-20_000), price: '1' }] },
  },
}

function hour(from: number): string {
  return formatHourStart((first + from) as Hour)
}

function book(items: Readonly<Record<string, Terms>>): string {
  const stores = Object.entries(items).map(([item, terms]) => {
    const prices = terms.map(([from, price]) => {
      return { from: hour(from), ...(price === 'free' ? { free: 'until announced' } : { price }) }
    })
    return [item, { component: 'storage', rates: { default: { unit: 'byte', per: 'KB-hour', prices } } }]
  })
  const all = { ...Object.fromEntries(stores), Calls: CALLS }
  return JSON.stringify({ priceBook: 'fill', currency: 'USD', items: all })
}

let deployed: Deployment
afterEach(() => deployed.close())

async function start(items: Readonly<Record<string, Terms>>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'farthing-fill-'))
  writeFileSync(join(dir, 'prices.json'), book(items))
  deployed = await deployment(first, join(dir, 'prices.json'))
  rmSync(dir, { recursive: true })
}

async function publish(items: Readonly<Record<string, Terms>>): Promise<void> {
  const request = { file: 'book.json', actor: 'key_test', dryRun: false, basedOn: undefined }
  const answer = await publishPriceBook(deployed.pool, { ...request, source: Buffer.from(book(items)) })
  expect(answer).toMatchObject({ ok: true, outcome: 'published' })
}

let ids = 0
function event(account: string, at: number, type: string, data: Json): Json {
  const time = formatInstant((startOf(first) + at * HOUR_MS) as Instant)
  return { specversion: '1.0', id: `${ids++}`, source: 's', type, subject: account, time, data }
}

function level(account: string, at: number, bytes: string): Json {
  return event(account, at, 'farthing.storage', { bytes })
}

/** Of each bill of stored data: its cycle; and of each line the usage hour, item, hours x bytes, price, what it corrects. */
async function stored(account: string) {
  const bills = await deployed.billsOf(account)
  return bills.flatMap(({ hour: cycle, lines }) =>
    lines
      .filter(({ component }) => component === 'storage')
      .map(({ usageHour, item, quantity, unitPrice, corrects }) => {
        const bytes = Number(quantity) / HOUR_MS
        return [cycle - first, usageHour - first, item, bytes, unitPrice, corrects]
      }),
  )
}

/** Settle the live hours before one. */
async function settleTo(to: number): Promise<void> {
  await deployed.settle({ graceMs: graceUntil(first + to) })
}

test('stored data of unknown price is charged by the next hour, at the prices of its own hours', async () => {
  await start({ Index: [[-30, 'unknown']] })
  const call = event('acme', 2, 'farthing.request', { operation: 'Get', status: 200 })
  await deployed.send([level('acme', 1, '1000'), call, level('acme', 3.5, '0'), level('still', 1, '7')])
  await settleTo(5)
  expect([await stored('acme'), await stored('still')]).toEqual([[], []])
  await publish({
    Index: [
      [-30, 'free'],
      [3, '0.5'],
    ],
  })
  await settleTo(6)
  const [bill] = await deployed.billsOf('acme')
  // Nothing is stored any more, and what was there is charged all the same.
  expect(await stored('acme')).toEqual([
    [5, 1, 'Index', 1000, '0', null],
    [5, 2, 'Index', 1000, '0', bill!.id],
    [5, 3, 'Index', 500, '0.5', null],
  ])
  await settleTo(7)
  // The hour itself first, and each hour once.
  expect(await stored('still')).toEqual([
    [5, 5, 'Index', 7, '0.5', null],
    [5, 1, 'Index', 7, '0', null],
    [5, 2, 'Index', 7, '0', null],
    [5, 3, 'Index', 7, '0.5', null],
    [5, 4, 'Index', 7, '0.5', null],
    [6, 6, 'Index', 7, '0.5', null],
  ])
  expect(await differences(deployed.pool)).toEqual([])
})

test('an hour of before the publication that is settled after younger history leaves the price to the next hour', async () => {
  await start({ Index: [[-30, 'unknown']], Copies: [[-30, '2']] })
  await deployed.send([level('acme', -12, '1000')])
  await settleTo(5)
  // It corrects -12, in the bill of the current hour, which is sealed and not settled.
  await deployed.send([level('acme', -11.5, '500')])
  await sealDue({ pool: deployed.pool, graceMs: graceUntil(now + 1), backfillQuietMs: HOUR_MS })
  await publish({ Index: [[-30, '1']], Copies: [[-30, '2']] })
  await deployed.send([level('acme', -10, '10')])
  await settleAll(deployed)
  const sums = new Map<string, number>()
  for (const [, usageHour, item, bytes] of await stored('acme')) {
    if (Number(usageHour) > 5) continue
    const name = `${item} ${usageHour}`
    sums.set(name, (sums.get(name) ?? 0) + Number(bytes))
  }
  const hours = Array.from({ length: 18 }, (_, index) => index - 12)
  const bytes = (at: number) => (at === -12 ? 750 : at === -11 ? 500 : 10)
  const should = ['Index', 'Copies'].flatMap((item) => hours.map((at) => [`${item} ${at}`, bytes(at)]))
  expect(Object.fromEntries(sums)).toEqual(Object.fromEntries(should))
  expect(await differences(deployed.pool)).toEqual([])
})

test('what was voided before is not charged, and no price that was known is', async () => {
  await start({
    Index: [
      [-30, 'unknown'],
      [2, '3'],
    ],
  })
  await deployed.send([level('acme', 0, '1000'), level('acme', 1, '500')])
  await settleTo(4)
  const before = await stored('acme')
  const order = { actor: 'key_test', reason: 'a test', what: 'of a test' }
  const keys = await deployed.pool.query<EventKey>(
    `select hour, bucket, account, id, source from usage_event where hour = $1`,
    [first + 1],
  )
  await voidEvents(deployed.pool, order, keys.rows)
  await settleAll(deployed)
  await publish({
    Index: [
      [-30, '1'],
      [2, '3'],
    ],
  })
  await settleAll(deployed)
  const after = (await stored('acme')).slice(before.length).filter(([, usageHour]) => Number(usageHour) < 2)
  expect(after.map(([, ...line]) => line.slice(0, 4))).toEqual([
    [0, 'Index', 1000, '1'],
    [1, 'Index', 1000, '1'],
  ])
  expect(await differences(deployed.pool)).toEqual([])
})

test('a year of stored data is charged at once, of more accounts than fit into one writing', async () => {
  const hours = 365 * 24
  await start({ Index: [[-hours - 9000, 'unknown']], Copies: [[-hours, 'unknown']] })
  const accounts = ['a', 'b', 'c', 'd']
  await deployed.send(accounts.map((account) => level(account, -hours, '10')))
  await settleTo(1)
  await publish({ Index: [[-hours - 9000, '1']], Copies: [[-hours, 'free']] })
  await settleTo(2)
  const { rows } = await deployed.pool.query<{
    account: string
    bills: number
    lines: number
    total: string
  }>(
    `select account, count(*)::int as bills, sum(lines)::int as lines, sum(total)::text as total
       from bill group by account order by account`,
  )
  const lines = (hours + 2) * 2
  const total = String(((hours + 2) * 10) / 1000)
  expect(rows).toEqual(accounts.map((account) => ({ account, bills: 1, lines, total })))
  const { rows: counted } = await deployed.pool.query('select count(*)::int as lines from bill_line')
  expect(counted).toEqual([{ lines: lines * accounts.length }])
})
