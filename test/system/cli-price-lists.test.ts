import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { farthing } from './cli-run.ts'
import { type ServerProcess, serverProcess } from './cli-server.ts'

// Guarantee: a price list is checked, compared and published by commands, an account is put on it and taken off it, and
// what a customer would pay is computed on paper by the same prices.

const NEXT_YEAR = new Date().getUTCFullYear() + 1
const LATER = `${NEXT_YEAR}-01-01T00:00:00Z`
const folder = mkdtempSync(join(tmpdir(), 'farthing-lists-'))
const at = (name: string) => join(folder, name)

const BOOK = `priceBook: acme
currency: EUR
headings: { request: API calls }
items:
  Calls:
    component: request
    rates:
      default: { operations: [Get, List], unit: call, per: 1000, prices: [{ from: "2026-01-01T00:00:00Z", price: "0.5" }] }
`
const LIST = `priceList: partners
discount: "0.2"
minimum: { amount: "500", per: month }
items: { Calls: { rates: { default: { prices: [{ from: "2026-06-01T00:00:00Z", price: "0.3" }] } } } }
`
const NEXT = LIST.replace('"0.3" }', `"0.3" }, { from: "${LATER}", price: "0.25" }`)

let server: ServerProcess
beforeAll(async () => {
  writeFileSync(at('book.yaml'), BOOK)
  writeFileSync(at('list.yaml'), LIST)
  writeFileSync(at('next.yaml'), NEXT)
  writeFileSync(at('wrong.yaml'), LIST.replace('Calls:', 'Cals:'))
  server = await serverProcess({ FARTHING_PRICE_BOOK: at('book.yaml') })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

test('check: with a book file no server is asked', async () => {
  const alone = { env: { FARTHING_URL: 'http://127.0.0.1:9' } }
  const book = ['--price-book', at('book.yaml')]
  const good = await farthing(['price-lists', 'check', at('list.yaml'), ...book], alone)
  expect([good.code, good.stdout]).toEqual([
    0,
    `${at('list.yaml')} is fine: price list partners, 1 rate with prices of its own.\n`,
  ])
  const bad = await farthing(['price-lists', 'check', at('wrong.yaml'), ...book], alone)
  expect([bad.code, bad.stdout]).toEqual([
    1,
    `${at('wrong.yaml')}:4:27: The price book has no rate Cals/default — write Calls/default\n1 problem in ${at('wrong.yaml')}.\n`,
  ])
  const json = await server.run(['price-lists', 'check', at('wrong.yaml'), '--json'])
  expect([json.code, JSON.parse(json.stdout).problems[0].code]).toEqual([1, 'price_list/unknown_rate'])
})

test('a new list is compared, tried, published; published again it is nothing new', async () => {
  const table = `  What      From, UTC         To, UTC  Was                                     Becomes
  discount                             none                                    0.2
  minimum                              none                                    500 per month
  Calls     2026-06-01 00:00           the public price, less the discount     0.3
`
  const squeezed = (text: string) => text.replaceAll(/ {2,}/g, '  ')
  const diff = await server.good('price-lists', 'diff', 'partners', at('list.yaml'))
  expect(squeezed(diff)).toBe(
    `${squeezed(table)}Price list partners: from no such list to ${at('list.yaml')}.\n`,
  )
  const publish = (file: string, ...more: string[]) =>
    server.good('price-lists', 'publish', 'partners', at(file), ...more)
  expect(await publish('list.yaml', '--dry-run')).toContain(
    'would be part of version 2 of the prices: 3 changes. Nothing is published.',
  )
  expect(await publish('list.yaml')).toContain('Published partners with version 2 of the prices: 3 changes.')
  expect(await publish('list.yaml')).toBe(
    'Nothing differs.\nPrice list partners says the same already: nothing to publish.\n',
  )
  expect(await publish('next.yaml')).toContain('Published partners with version 3')
  const stale = await server.run(['price-lists', 'publish', 'partners', at('list.yaml'), '--based-on', '2'])
  expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining('price_book/newer_version')])
})

test('two versions are compared; what stands in the list is printed for people', async () => {
  const diff = JSON.parse(await server.good('price-lists', 'diff', 'partners', '2', '--json'))
  expect(diff).toEqual({
    name: 'partners',
    from: 2,
    to: 3,
    changes: [
      {
        kind: 'price_changed',
        item: 'Calls',
        rate: 'default',
        from: LATER,
        to: null,
        was: '0.3',
        becomes: '0.25',
        fromNextMonth: false,
      },
    ],
  })
  const shown = await server.good('price-lists', 'show', 'partners')
  expect(shown.replaceAll(/ {2,}/g, '  ').split('\n').slice(0, 5)).toEqual([
    '  What  From, UTC  EUR',
    '  Discount  0.2 off every other public price',
    '  Minimum  at least 500 for each month, however little is used',
    '  Calls  2026-06-01 00:00  0.3 per 1,000 calls',
    `  ${NEXT_YEAR}-01-01 00:00  0.25 per 1,000 calls`,
  ])
  const none = await server.run(['price-lists', 'diff', 'nobody', '2'])
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('price_list/not_found')])
})

test('an account is put on a list; an entry that has not begun is replaced, and dropped', async () => {
  const set = (...args: string[]) => server.good('accounts', 'set', 'acme', ...args, '--json')
  const lists = async (...args: string[]) => JSON.parse(await set(...args)).priceLists
  const begun = { list: 'partners', from: '2026-06-01T00:00:00Z' }
  expect(await lists('--price-list', 'partners', '--price-list-from', begun.from)).toEqual([begun])
  const off = { list: null, from: LATER }
  expect(await lists('--price-list', '', '--price-list-from', LATER)).toEqual([begun, off])
  expect(await lists('--price-list', 'partners', '--price-list-from', LATER)).toEqual([
    begun,
    { ...off, list: 'partners' },
  ])
  expect(await lists('--drop-price-list', LATER)).toEqual([begun])
  const again = await server.run(['accounts', 'set', 'acme', '--drop-price-list', LATER])
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringContaining(`begins at ${NEXT_YEAR}-01-01 00:00 UTC`),
  ])
  const shown = await server.good('accounts', 'show', 'acme')
  expect(shown).toContain('Price list  partners from 2026-06-01 00:00 UTC\n')
  expect(shown).toContain('Minimum     at least 500 for each month from ')
})

test('on paper: what a customer would pay by the list, beside the public price', async () => {
  const event = (id: string, day: string) => ({
    specversion: '1.0',
    id,
    source: 's',
    type: 'farthing.request',
    subject: 'acme',
    time: `${day}T00:10:00Z`,
    data: { operation: 'Get', status: 200, count: 1000 },
  })
  const lines = [event('1', '2026-05-31'), event('2', '2026-06-01')].map((one) => JSON.stringify(one))
  writeFileSync(at('day.ndjson'), `${lines.join('\n')}\n`)
  const paper = ['rate', at('day.ndjson'), '--price-book', at('book.yaml')]
  const totals = async (...more: string[]) => {
    const { stdout } = await farthing([...paper, ...more, '--json'])
    return JSON.parse(stdout).bills.map(({ lines: [line] }: { lines: [Record<string, string>] }) => [
      line['amount'],
      line['listPrice'],
      line['priceList'],
    ])
  }
  expect(await totals()).toEqual([
    ['0.5', '0.5', null],
    ['0.5', '0.5', null],
  ])
  expect(await totals('--price-list', at('list.yaml'))).toEqual([
    ['0.4', '0.5', 'partners'],
    ['0.3', '0.5', 'partners'],
  ])
  const text = (await farthing([...paper, '--price-list', at('list.yaml')])).stdout
  expect(text).toContain('\nAPI calls\n')
  const bad = await farthing([...paper, '--price-list', at('wrong.yaml')])
  expect([bad.code, bad.stdout, bad.stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/wrong\.yaml:4:27: .*\n.*has problems: correct it first/),
  ])
})
