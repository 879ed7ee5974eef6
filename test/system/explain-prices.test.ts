import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverProcess, type ServerProcess } from './cli-server.ts'

// Guarantee: `explain` says which rule, list, tier and position gave an amount, with the arithmetic.

const BOOK = `priceBook: lists
currency: USD
items:
  Calls:
    component: request
    rates:
      default: { operations: [Search], unit: call, per: 1, prices: [{ from: "2020-01-01T00:00:00Z", price: "5" }] }
  Pages:
    component: processing
    rates:
      default: { operations: [Render], unit: page, per: 1, prices: [{ from: "2020-01-01T00:00:00Z", tiers: [{ upTo: "10", price: "0" }, { price: "3" }] }] }
`
const LIST = `priceList: partners
discount: "0.1"
items: { Calls: { rates: { default: { prices: [{ from: "2020-01-01T00:00:00Z", price: "4" }] } } } }
`
const BILL = '2025-07-28T03Z'

function event(account: string, id: string, type: string, data: object): string {
  const head = { specversion: '1.0', id, source: '/api', subject: account, time: '2025-07-28T03:10:00Z' }
  return JSON.stringify({ ...head, type: `farthing.${type}`, data })
}

let server: ServerProcess
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-explain-'))
  const [book, list] = ['book.yaml', 'list.yaml'].map((name) => join(folder, name))
  writeFileSync(book!, BOOK)
  writeFileSync(list!, LIST)
  server = await serverProcess({ FARTHING_PRICE_BOOK: book! })
  await server.good('price-lists', 'publish', 'partners', list!)
  await server.good(
    'accounts',
    'set',
    'partner',
    '--price-list',
    'partners',
    '--price-list-from',
    '2025-07-01',
  )
  const input = ['partner', 'other'].flatMap((account) => [
    event(account, 'calls', 'request', { operation: 'Search', status: 200, count: 2 }),
    event(account, 'pages', 'processing', { operation: 'Render', quantities: { page: 12 } }),
  ])
  const sent = await server.run(['import', '-'], { input: input.join('\n') })
  if (sent.code !== 0) throw new Error(sent.stderr)
})
afterAll(() => server.close())

/** What is said of a line before its events. */
async function factsOf(account: string, line: number): Promise<string> {
  const shown = await server.good('explain', `${BILL}.${account}`, String(line))
  return shown.split('\n\n')[0]!
}

test('a price that a list names: the list, since when, and the public price', async () => {
  const facts = await factsOf('partner', 1)
  expect(facts).toContain(
    '\nPrice    4 USD per call by price list partners, which names this price from 2020-01-01 00:00 UTC on (version 2 of the price book)\n',
  )
  expect(facts).toContain('\nPublic   5 USD per call from 2020-01-01 00:00 UTC on\nAmount   2 × 4 = 8 USD')
})

test('tiers with a discount: the discount of the tier, the tiers of the month, and the position', async () => {
  expect(await factsOf('partner', 3)).toContain(`
Price    0 up to 10, then 2.7 USD per page: price list partners takes 10 % off the public price; 3 × 0.9 = 2.7 (version 2 of the price book)
Public   0 up to 10, then 3 USD per page from 2020-01-01 00:00 UTC on; the line is in its tier 2
Tier     tier 2: usage of the month goes from 10 to 12 pages
Amount   2 × 2.7 = 5.4 USD`)
})

test('an account on no list: the public price alone', async () => {
  const [flat, tiered] = [await factsOf('other', 1), await factsOf('other', 3)]
  expect(flat).toContain(
    '\nPrice    5 USD per call from 2020-01-01 00:00 UTC on (version 2 of the price book)\nAmount',
  )
  expect(tiered).toContain(
    '\nTier     tier 2: usage of the month goes from 10 to 12 pages\nAmount   2 × 3 = 6 USD',
  )
  for (const facts of [flat, tiered]) expect(facts).not.toMatch(/price list|\nPublic/)
})

test('an event: what the account pays, and the arithmetic of each of its lines', async () => {
  const told = await server.good('explain', '--account', 'partner', 'pages')
  expect(told).toContain(
    '12 pages under Pages/default, by tiers over the month: 0 up to 10, then 2.7 USD per page by price list partners, where the public price is 0 up to 10, then 3.',
  )
  expect(told).toContain(
    'Line 2: tier 1, after 0 pages of the month, by price list partners: 10 pages × 0 = 0 USD.',
  )
  expect(told).toContain(
    'Line 3: tier 2, after 10 pages of the month, by price list partners: 2 pages × 2.7 = 5.4 USD; the public price is 3.',
  )
  expect(await server.good('explain', '--account', 'other', 'calls')).toContain(
    'Line 1: 2 calls × 5 = 10 USD.',
  )
})

test('a version says whether the book was published or which list', async () => {
  const versions = JSON.parse(
    await server
      .good('price-book', 'list', '--json')
      .then((text) => `[${text.trim().replaceAll('\n', ',')}]`),
  ) as object[]
  expect(versions).toEqual([
    expect.objectContaining({ version: 2, priceList: 'partners' }),
    expect.objectContaining({ version: 1, priceList: null }),
  ])
})
