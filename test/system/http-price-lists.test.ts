import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUTES } from '../../src/http/routes.ts'
import { type Answer, requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: the key of a customer sees the public prices and those of its own lists. No answer to it has the name or a price
// of another list. Nothing else costs what the rival pays: 0.777 a call, and 0.8 of the public price for pages.

const FROM = '2020-01-01T00:00:00Z'
const BOOK = `priceBook: lists
currency: USD
items:
  Calls:
    component: request
    rates:
      default: { operations: [Search], unit: call, per: 1, prices: [{ from: "${FROM}", price: "5" }] }
  Pages:
    component: processing
    rates:
      default: { operations: [Render], unit: page, per: 1, prices: [{ from: "${FROM}", tiers: [{ upTo: "10", price: "0" }, { price: "3.31" }] }] }
`
const listText = (name: string, price: string, discount: string) => `priceList: ${name}
discount: "${discount}"
minimum: { amount: "${price}77", per: month }
items: { Calls: { rates: { default: { prices: [{ from: "${FROM}", price: "${price}" }] } } } }
`
/** The rival, its list, and what it pays. 0.8 × 3.31 = 2.648. */
const OTHERS = /rival|hidden|0\.777|2\.648/i

let server: TestServer
let partnerKey: string
let billOf: (account: string) => string
beforeAll(async () => {
  const priceBook = join(mkdtempSync(join(tmpdir(), 'farthing-keys-')), 'book.yaml')
  writeFileSync(priceBook, BOOK)
  server = await testServer({ priceBook })
  await published('partners', listText('partners', '4', '0.1'))
  await published('hidden', listText('hidden', '0.777', '0.2'))
  const time = new Date(Date.now() - 50 * 3_600_000).toISOString()
  for (const [account, list] of [
    ['partner', 'partners'],
    ['rival', 'hidden'],
  ] as const) {
    const put = await server.ask(`/v1/accounts/${account}`, {
      method: 'PUT',
      body: JSON.stringify({ priceLists: [{ list, from: FROM }] }),
      type: 'application/json',
    })
    if (put.status !== 201) throw new Error(put.text)
    const { json } = await server.send(usageOf(account, time))
    if (json.accepted !== 2) throw new Error(JSON.stringify(json))
  }
  await server.settle()
  partnerKey = await server.key(['usage:read', 'usage:write', 'bills:read'], 'partner')
  const bills = (await server.ask('/v1/bills')).json.items as { id: string; account: string }[]
  billOf = (account) => bills.find((bill) => bill.account === account)!.id
})
afterAll(() => server.close())

async function published(name: string, text: string): Promise<void> {
  const init = { method: 'POST', body: text, type: 'application/yaml' }
  const { status, text: told } = await server.ask(`/v1/price-lists/${name}`, init)
  if (status !== 201) throw new Error(told)
}

function usageOf(account: string, time: string) {
  const head = { subject: account, time }
  return [
    requestEvent(`calls`, { ...head, data: { operation: 'Search', status: 200, count: 2 } }),
    requestEvent(`pages`, {
      ...head,
      type: 'farthing.processing',
      data: { operation: 'Render', mode: 'sync', quantities: { page: 12 } },
    }),
  ]
}

function asPartner(path: string): Promise<Answer> {
  return server.ask(path, { key: partnerKey })
}

test('it sees its own list, in each version that has it', async () => {
  expect((await asPartner('/v1/price-lists')).json.items).toMatchObject([{ name: 'partners', version: 2 }])
  for (const query of ['', '?version=2', '?version=3']) {
    const own = await asPartner(`/v1/price-lists/partners${query}`)
    expect([own.status, own.json.list.discount]).toEqual([200, '0.1'])
  }
  expect((await asPartner('/v1/price-lists/partners?version=1')).status).toBe(404)
})

test('another list is one that there is not: in the same words', async () => {
  for (const query of ['', '?version=3', '?version=99']) {
    const [other, none] = await Promise.all(
      ['hidden', 'nobody'].map((name) => asPartner(`/v1/price-lists/${name}${query}`)),
    )
    expect([other!.status, other!.json.code]).toEqual([404, 'price_list/not_found'])
    expect(other!.json.detail).toBe(none!.json.detail)
  }
})

test('versions of the prices say that there was a list, and name its own alone', async () => {
  const { items } = (await asPartner('/v1/price-book/versions')).json
  expect(items.map((one: Version) => [one.version, one.published, one.priceList])).toEqual([
    [3, 'price_list', null],
    [2, 'price_list', 'partners'],
    [1, 'price_book', null],
  ])
  const all = (await server.ask('/v1/price-book/versions')).json.items
  expect(all[0]).toMatchObject({ version: 3, priceList: 'hidden' })
})

interface Version {
  readonly version: number
  readonly published: string
  readonly priceList: string | null
}

test('its bills and its events have its own list, and the public price', async () => {
  const { lines } = (await asPartner(`/v1/bills/${billOf('partner')}`)).json
  expect(lines).toMatchObject([
    { unitPrice: '4', listPrice: '5', priceList: 'partners' },
    { unitPrice: '0', listPrice: '0', priceList: 'partners', tier: 1 },
    { unitPrice: '2.979', listPrice: '3.31', priceList: 'partners', tier: 2 },
  ])
  const events = await asPartner('/v1/events?id=pages')
  expect(events.status).toBe(200)
  expect(events.text).toContain('partners')
  expect((await asPartner(`/v1/bills/${billOf('rival')}`)).status).toBe(404)
})

// Every address that can be read, with the parameters that would show most.
test('no answer to it has anything of another list', async () => {
  const range = `from=${FROM}&to=${new Date(Date.now() + 7_200_000).toISOString().slice(0, 13)}:00:00Z`
  const bill = billOf('partner')
  const known: Readonly<Record<string, readonly string[]>> = {
    '/v1/events': ['/v1/events?id=calls', '/v1/events?id=pages'],
    '/v1/usage': [`/v1/usage?${range}&window=none&groupBy=item`],
    '/v1/bills/:id': [`/v1/bills/${bill}`],
    '/v1/bills/:id/lines': [`/v1/bills/${bill}/lines`],
    '/v1/bills/:id/lines/:number/events': [1, 2, 3].map((line) => `/v1/bills/${bill}/lines/${line}/events`),
    '/v1/bills/:id/proof': [`/v1/bills/${bill}/proof`],
    '/v1/price-book/:version': ['/v1/price-book/1', '/v1/price-book/3'],
    '/v1/price-book/diff': ['/v1/price-book/diff?from=1&to=3', '/v1/price-book/diff?from=2&to=3'],
    '/v1/price-lists/:name': ['/v1/price-lists/partners?version=3'],
    '/v1/accounts/:account': ['/v1/accounts/partner'],
    '/api/v1/meters/:slug/query': [`/api/v1/meters/Calls/query?${range}`],
  }
  const readable = ROUTES.filter(({ method, url }) => method === 'GET' && !/openapi|metrics/.test(url))
  let answered = 0
  for (const { url } of readable) {
    for (const path of known[url] ?? [url]) {
      const { status, text } = await asPartner(path)
      if (status === 200) answered++
      expect({ path, found: OTHERS.exec(text)?.[0] }).toEqual({ path, found: undefined })
    }
  }
  expect(answered).toBeGreaterThan(20)
  // And with a key that sees all of it there is something to find.
  const told = await Promise.all(['/v1/price-lists/hidden', '/v1/bills'].map((path) => server.ask(path)))
  for (const { text } of told) expect(text).toMatch(OTHERS)
})

test('a quote has its own price, and one for another account is refused', async () => {
  const now = new Date().toISOString()
  const init = { key: partnerKey }
  const own = await server.send(usageOf('partner', now), init, '?dryRun=true')
  expect(own.text).toContain('"partners"')
  expect(own.text).not.toMatch(OTHERS)
  const other = await server.send(usageOf('rival', now), init, '?dryRun=true')
  expect(other.text).not.toMatch(/hidden|0\.777|2\.648/)
})
