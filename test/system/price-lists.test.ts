import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { formatHourStart, type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import type { WantedList } from '../../src/flows/accounts/refuse-account.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { publishPriceBook } from '../../src/flows/prices/publish-price-book.ts'
import { publishPriceList } from '../../src/flows/prices/publish-price-list.ts'
import { visibleLists } from '../../src/flows/prices/visible-lists.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { type Deployment, deployment } from './deployment.ts'

// Calls cost 5 publicly, 4 under the list; pages have tiers publicly, which the list discounts by 10 %.

const now = hourOf(Date.now() as Instant)
const month = (() => {
  const date = new Date(startOf(now))
  return hourOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 2) as Instant)
})()

const ITEMS = `items:
  Calls:
    component: request
    rates:
      default: { operations: [Search], unit: call, per: 1, prices: [{ from: "2020-01-01T00:00:00Z", price: "5" }] }
`
const BOOK = `priceBook: lists
currency: USD
${ITEMS}  Pages:
    component: processing
    rates:
      default: { operations: [Render], unit: page, per: 1, prices: [{ from: "2020-01-01T00:00:00Z", tiers: [{ upTo: "10", price: "0" }, { price: "3" }] }] }
`
const LIST = `priceList: partners
discount: "0.1"
items: { Calls: { rates: { default: { prices: [{ from: "2020-01-01T00:00:00Z", price: "4" }] } } } }
`

let deployed: Deployment
beforeAll(async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'farthing-lists-')), 'book.yaml')
  writeFileSync(path, BOOK)
  deployed = await deployment((now - 3) as Hour, path)
})
afterAll(() => deployed.close())

function publish(text: string, name = 'partners', dryRun = false) {
  const request = { name, source: Buffer.from(text), actor: 'cli:t', dryRun, basedOn: undefined }
  return publishPriceList(deployed.pool, request)
}

function assign(account: string, priceLists: readonly WantedList[]) {
  return putAccount(deployed.pool, 'cli:t', account, { priceLists })
}

async function send(account: string, id: string, hour: number, calls: number, pages: number): Promise<void> {
  const time = formatInstant((startOf((month + hour) as Hour) + 600_000) as Instant)
  const head = { specversion: '1.0', source: 's', subject: account, time }
  const request: Json = { operation: 'Search', status: 200, count: calls }
  const processing: Json = { operation: 'Render', mode: 'sync', quantities: { page: pages } }
  const outcomes = await deployed.send([
    { ...head, id: `${id}-c`, type: 'farthing.request', data: request },
    { ...head, id: `${id}-p`, type: 'farthing.processing', data: processing },
  ])
  expect(outcomes).toEqual(['accepted', 'accepted'])
}

async function linesOf(account: string) {
  const bills = await deployed.billsOf(account)
  return bills
    .toSorted((a, b) => a.sequence - b.sequence)
    .flatMap(({ lines }) =>
      lines.map((line) => {
        const { item, quantity, unitPrice, listPrice, priceList, tier, listTier, amount } = line
        return `${item} ${tier ?? '-'}/${listTier ?? '-'}: ${quantity} at ${unitPrice} (${priceList}, public ${listPrice}) = ${amount}`
      }),
    )
}

async function differences(): Promise<readonly unknown[]> {
  const found: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const difference of verify(deployed.pool, all)) found.push(difference)
  return found
}

test('a list is published as the next version of the prices; what says the same is no new one', async () => {
  expect(await publish(LIST, 'partners', true)).toMatchObject({ ok: true, outcome: 'possible', version: 2 })
  expect(await publish(LIST)).toMatchObject({ ok: true, outcome: 'published', version: 2, basedOn: 1 })
  expect(await publish(LIST)).toMatchObject({ ok: true, outcome: 'unchanged', version: 2 })
})

test('an account without usage is put on a list from any hour, and pays by it', async () => {
  const unknown = await assign('partner', [{ list: 'nobody', from: month }])
  expect(unknown).toMatchObject({ ok: false, code: 'account/unknown_price_list' })
  expect(await assign('partner', [{ list: 'partners', from: month }])).toMatchObject({ ok: true })
  for (const account of ['partner', 'other']) await send(account, 'a', 0, 2, 12)
  await deployed.settle({ graceMs: Date.now() - startOf(now) })
  expect(await linesOf('partner')).toEqual([
    'Calls -/-: 2 at 4 (partners, public 5) = 8',
    'Pages 1/1: 10 at 0 (partners, public 0) = 0',
    'Pages 2/2: 2 at 2.7 (partners, public 3) = 5.4',
  ])
  expect(await linesOf('other')).toEqual([
    'Calls -/-: 2 at 5 (null, public 5) = 10',
    'Pages 1/1: 10 at 0 (null, public 0) = 0',
    'Pages 2/2: 2 at 3 (null, public 3) = 6',
  ])
  expect(await differences()).toEqual([])
})

test('what has begun of an assignment stays, and a request that does not know it is refused', async () => {
  const begun = { list: 'partners', from: month }
  for (const lists of [[], [{ list: null, from: month }], [begun, { list: null, from: (now - 1) as Hour }]]) {
    expect(await assign('partner', lists)).toMatchObject({ ok: false, code: 'account/price_list_begun' })
  }
  expect(await assign('partner', [begun, { list: null, from: (now + 48) as Hour }])).toMatchObject({
    ok: true,
  })
  expect(await assign('partner', [begun])).toMatchObject({ ok: true })
  expect(await assign('other', [{ list: 'partners', from: month }])).toMatchObject({ ok: false })
  expect(await assign('other', [{ list: 'partners', from: undefined }])).toMatchObject({ ok: true })
})

test('nothing of a list changes for an hour that has begun, and the book keeps what lists need', async () => {
  const changed = await publish(LIST.replace('"4"', '"1"'))
  expect(changed).toMatchObject({ ok: false, code: 'price_list/changes_past' })
  expect(await publish(LIST.replace('"0.1"', '"0.2"'))).toMatchObject({ code: 'price_list/changes_past' })
  const later = formatHourStart((now + 48) as Hour)
  const terms = `price: "4" }, { from: "${later}", price: "3" }`
  expect(await publish(LIST.replace('price: "4" }', terms))).toMatchObject({
    outcome: 'published',
    version: 3,
  })
  const request = { file: 'body', actor: 'cli:t', dryRun: false, basedOn: undefined }
  const without = BOOK.replace('Calls:', 'Queries:')
  const refused = await publishPriceBook(deployed.pool, { ...request, source: Buffer.from(without) })
  expect(JSON.stringify(refused)).toContain('The price list partners does not fit this book')
})

test('a flat public price does not begin earlier where a list has tiers: positions would move', async () => {
  const begun = formatHourStart((now - 2) as Hour)
  const earlier = formatHourStart((now - 3) as Hour)
  const scans = (...froms: string[]) => {
    const prices = froms.map((from) => `{ from: "${from}", price: "2" }`).join(', ')
    return `${BOOK}  Scans:
    component: processing
    rates:
      default: { operations: [Scan], unit: page, per: 1, prices: [${prices}] }
`
  }
  const publishBook = (text: string) =>
    publishPriceBook(deployed.pool, {
      file: 'body',
      actor: 'cli:t',
      dryRun: false,
      basedOn: undefined,
      source: Buffer.from(text),
    })
  expect(await publishBook(scans(begun))).toMatchObject({ ok: true, outcome: 'published' })
  const tiers = 'tiers: [{ upTo: "10", price: "0" }, { price: "1" }]'
  const list = `priceList: scanners
items: { Scans: { rates: { default: { prices: [{ from: "2020-01-01T00:00:00Z", ${tiers} }] } } } }
`
  expect(await publish(list, 'scanners')).toMatchObject({ ok: true, outcome: 'published' })
  expect(await publishBook(scans(earlier, begun))).toMatchObject({
    ok: false,
    code: 'price_book/changes_past',
    problems: [{ item: 'Scans', was: `from ${begun}`, becomes: `from ${earlier}` }],
  })
})

test('the key of an account sees its own lists, and no other', async () => {
  const names = async (account: string | undefined) =>
    (await visibleLists(deployed.pool, account)).map(({ name }) => name)
  expect(await names(undefined)).toEqual(['partners', 'scanners'])
  expect(await names('partner')).toEqual(['partners'])
  expect(await names('stranger')).toEqual([])
})

for (const [what, text, code] of [
  ['a discount over 1', LIST.replace('"0.1"', '"1.1"'), 'price_list/not_a_discount'],
  ['a discount below 0', LIST.replace('"0.1"', '"-0.1"'), 'price_list/not_a_discount'],
  ['a discount of 5 decimals', LIST.replace('"0.1"', '"0.00001"'), 'price_list/not_a_discount'],
  ['a discount without quotes', LIST.replace('"0.1"', '0.1'), 'price_list/not_a_discount'],
  ['a rate that does not exist', LIST.replace('Calls:', 'Callz:'), 'price_list/unknown_rate'],
  ['an unknown price', LIST.replace('"4"', 'unknown'), 'price_list/unknown_price'],
  ['another name', LIST.replace('partners', 'friends'), 'price_list/other_name'],
  [
    'tiers that fall',
    LIST.replace(
      'price: "4"',
      'tiers: [{ upTo: "5", price: "1" }, { upTo: "4", price: "1" }, { price: "1" }]',
    ),
    'price_book/tier_not_ascending',
  ],
  ['a minimum a year', `${LIST}minimum: { amount: "5", per: year }\n`, 'price_list/not_a_minimum'],
  ['nothing at all', 'priceList: partners\n', 'price_book/empty'],
] as const) {
  test(`${what} is refused with its place`, async () => {
    const refused = await publish(text)
    expect(refused).toMatchObject({
      ok: false,
      code: 'price_list/invalid',
      problems: [{ code, place: { file: 'body' } }],
    })
  })
}
