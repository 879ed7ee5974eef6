import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parsePriceBook, parsePriceList } from '../../src/flows/prices/parse-price-book.ts'
import { table } from '../table.ts'
import { sampleWith } from './price-book-sample.ts'

// Guarantee: what is wrong with a price list is said with its place, and the schema for editors says the same wherever it
// needs no price book.

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
const matches = ajv.compile(JSON.parse(readFileSync('price-books/price-list.schema.json', 'utf8')))

const read = parsePriceBook(
  sampleWith('17', '- { from: "2026-02-01T00:00:00Z", free: in winter }'),
  'book.yaml',
)
if (!read.ok) throw new Error('the sample is a valid book')
const { book } = read

/** A valid list with one of each: every row changes a line of it. */
const LIST = `priceList: partners
discount: "0.15"
minimum: { amount: "500", per: month }
items:
  Rendering:
    rates:
      pages:
        prices:
          - { from: "2026-01-01T00:00:00Z", price: "1.5" }
          - { from: "2026-03-01T00:00:00Z", tiers: [{ upTo: "100", price: "0" }, { price: "1" }] }
`

function listWith(line: number, instead: string): string {
  const lines = LIST.split('\n')
  const indentation = /^ */.exec(lines[line - 1]!)![0]
  lines[line - 1] = instead
    .split(' ⏎ ')
    .map((text) => indentation + text)
    .join('\n')
  return lines.join('\n')
}

function codesOf(text: string): readonly string[] {
  const parsed = parsePriceList(text, 'partners.yaml', book)
  return parsed.ok ? [] : parsed.problems.map(({ place, code }) => `${place.line}:${place.column} ${code}`)
}

// `schema`: does the schema see it, too? What it cannot see needs the book, or an order.
const ROWS = table<'line' | 'instead' | 'at' | 'code' | 'schema'>(String.raw`
  line | instead                                                          | at    | code                           | schema
  1    | priceList: my list                                               | 1:1   | price_book/not_a_name          | yes
  1    | # no name                                                        | 2:1   | price_book/missing_key         | yes
  1    | priceList: a ⏎ currency: EUR                                     | 2:1   | price_book/unknown_key         | yes
  2    | discount: 0.15                                                   | 2:11  | price_list/not_a_discount      | yes
  2    | discount: "1.01"                                                 | 2:11  | price_list/not_a_discount      | yes
  2    | discount: "-0.1"                                                 | 2:11  | price_list/not_a_discount      | yes
  2    | discount: "0.12345"                                              | 2:11  | price_list/not_a_discount      | yes
  2    | discount: "15%"                                                  | 2:11  | price_list/not_a_discount      | yes
  2    | discount: [{ from: "2026-01-01T00:30:00Z", discount: "0.1" }]    | 2:20  | price_book/not_on_the_hour     | no
  2    | discount: [{ from: "2026-02-01T00:00:00Z", discount: "0.1" }, { from: "2026-01-01T00:00:00Z", discount: "0" }] | 2:71 | price_book/not_ascending | no
  3    | minimum: "500"                                                   | 3:10  | price_book/wrong_type          | yes
  3    | minimum: { amount: 500, per: month }                             | 3:20  | price_book/price_not_quoted    | yes
  3    | minimum: { amount: "-1", per: month }                            | 3:20  | price_book/not_a_price         | yes
  3    | minimum: { amount: "500", per: year }                            | 3:32  | price_list/not_a_minimum       | yes
  3    | minimum: { amount: "500" }                                       | 3:1   | price_book/missing_key         | yes
  5    | Rendring:                                                        | 7:7   | price_list/unknown_rate        | no
  7    | page:                                                            | 7:7   | price_list/unknown_rate        | no
  10   | - { from: "2026-03-01T00:00:00Z", price: unknown }               | 10:52 | price_list/unknown_price       | yes
  9    | - { from: "2026-01-01T00:00:00Z", price: 1.5 }                   | 9:52  | price_book/price_not_quoted    | yes
  9    | - { from: "2026-01-01T00:00:00Z", price: "1", free: no }         | 9:13  | price_book/price_or_free       | yes
  9    | - { from: "2026-01-01T00:00:00Z", price: "1", illustrative: true } | 9:57 | price_book/unknown_key        | yes
  9    | - { from: "2026-04-01T00:00:00Z", price: "1.5" }                 | 10:21 | price_book/not_ascending       | no
  10   | - { from: "2026-03-01T00:00:00Z", tiers: [{ upTo: "9", price: "0" }, { upTo: "9", price: "1" }, { price: "2" }] } | 10:88 | price_book/tier_not_ascending | no
  10   | - { from: "2026-03-01T00:00:00Z", tiers: [{ upTo: "9", price: "0" }, { upTo: "8", price: "1" }, { price: "2" }] } | 10:88 | price_book/tier_not_ascending | no
  10   | - { from: "2026-03-01T00:00:00Z", tiers: [{ price: "0" }] } | 10:52 | price_book/not_a_tier     | yes
`)
for (const { line, instead, at, code, schema } of ROWS) {
  test(`line ${line} as ${instead}: ${code}`, () => {
    const text = listWith(Number(line), instead)
    expect(codesOf(text)).toEqual([`${at} ${code}`])
    expect(matches(parse(text))).toBe(schema === 'no')
  })
}

const CALLS = (term: string) => `priceList: a
items: { Calls: { rates: { default: { prices: [${term}] } } } }`

test('a list charges for what is free publicly only where it says so', () => {
  const winter = '{ from: "2026-02-01T00:00:00Z", price: "1" }'
  expect(codesOf(CALLS(winter))).toEqual(['2:48 price_list/free_publicly'])
  expect(codesOf(CALLS(winter.replace('}', ', evenIfFree: true }')))).toEqual([])
  expect(codesOf(CALLS('{ from: "2026-02-01T00:00:00Z", price: "0" }'))).toEqual([])
})

test('a list has no tiers where the public price is unknown: positions would move when it is filled in', () => {
  const tiers = 'tiers: [{ upTo: "9", price: "0" }, { price: "1" }]'
  const april = `{ from: "2026-04-01T00:00:00Z", ${tiers} }`
  expect(codesOf(CALLS(april))).toEqual(['2:47 price_list/tiers_after_unknown'])
})

for (const text of [
  LIST,
  'priceList: a\ndiscount: "0"',
  'priceList: a\ndiscount: "1.0000"',
  'priceList: a\ndiscount: [{ from: "2026-01-01T00:00:00Z", discount: "0.1" }, { from: "2027-01-01T00:00:00Z", discount: "0.2" }]',
  'priceList: a\nminimum: [{ from: "2026-01-01T00:00:00Z", amount: "0.5", per: month }]',
]) {
  test(`is a list, for the schema too: ${text.replaceAll('\n', ' ').slice(0, 70)}`, () => {
    expect(codesOf(text)).toEqual([])
    expect([matches(parse(text)), matches.errors]).toEqual([true, null])
  })
}

test('a list that says nothing is refused', () => {
  expect(codesOf('priceList: a')).toEqual(['1:1 price_book/empty'])
  expect(matches(parse('priceList: a'))).toBe(false)
})
