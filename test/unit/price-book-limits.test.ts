import { expect, test } from 'vitest'
import { OPERATIONS_PER_RATE_MAX } from '../../src/core/rate/price-book/parse/read-rate.ts'
import {
  EVENT_TYPES_MAX,
  TYPE_QUANTITIES_MAX,
} from '../../src/core/rate/price-book/parse/read-event-types.ts'
import { PRICES_PER_RATE_MAX, REASON_MAX } from '../../src/core/rate/price-book/parse/read-terms.ts'
import {
  FREE_OPERATIONS_MAX,
  ITEMS_MAX,
  RATES_PER_ITEM_MAX,
  readPriceBook,
} from '../../src/core/rate/price-book/parse/read-price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'

type Parts = { readonly [key: string]: Json }

const names = (count: number) => Array.from({ length: count }, (_, index) => `N${index}`)
const mapping = (count: number, value: (name: string) => Json) =>
  Object.fromEntries(names(count).map((name) => [name, value(name)]))
const hours = (count: number) =>
  Array.from({ length: count }, (_, index) => new Date((400_000 + index) * 3_600_000).toISOString())

const PRICES = [{ from: '2026-01-01T00:00:00Z', price: '1' }]
const rate = (parts: Parts): Json => ({
  operations: ['Call'],
  unit: 'call',
  per: 1,
  prices: PRICES,
  ...parts,
})
const item = (rates: Parts): Json => ({ component: 'request', rates })
const book = (parts: Parts): Json => ({
  priceBook: 'b',
  currency: 'USD',
  items: { Calls: item({ r: rate({}) }) },
  ...parts,
})
const bookOf = (parts: Parts): Json => book({ items: { Calls: item({ r: rate(parts) }) } })

/** Of so many bytes, most of them in characters of two. */
const nameOf = (bytes: number) => `${'x'.repeat(bytes % 2)}${'é'.repeat(bytes >> 1)}`

/** A book of a size, by what it has many of. Each size up to the limit is fine, and one more is refused. */
const SIZES: Record<string, readonly [max: number, bookOf: (size: number) => Json, code?: string]> = {
  items: [ITEMS_MAX, (size) => book({ items: mapping(size, () => item({ r: rate({}) })) })],
  rates: [
    RATES_PER_ITEM_MAX,
    (size) => book({ items: { Calls: item(mapping(size, (name) => rate({ operations: [name] }))) } }),
  ],
  'operations of a rate': [OPERATIONS_PER_RATE_MAX, (size) => bookOf({ operations: names(size) })],
  'operations without a fee': [FREE_OPERATIONS_MAX, (size) => book({ operations: names(size) })],
  'prices of a rate': [
    PRICES_PER_RATE_MAX,
    (size) => bookOf({ prices: hours(size).map((from) => ({ from, price: '1' })) }),
  ],
  'event types': [
    EVENT_TYPES_MAX,
    (size) => book({ eventTypes: mapping(size, () => ({ component: 'request' })) }),
  ],
  'quantities of an event type': [
    TYPE_QUANTITIES_MAX,
    (size) =>
      book({ eventTypes: { t: { component: 'processing', quantities: mapping(size, () => 'field') } } }),
  ],
  'characters of a reason': [
    REASON_MAX,
    (size) => bookOf({ prices: [{ from: '2026-01-01T00:00:00Z', free: '𝄞'.repeat(size) }] }),
    'price_book/not_a_reason',
  ],
  'characters of a name': [128, (size) => book({ priceBook: 'n'.repeat(size) }), 'price_book/not_a_name'],
  'bytes of an operation': [255, (size) => book({ operations: [nameOf(size)] }), 'price_book/not_a_name'],
  'bytes of an event type': [
    255,
    (size) => book({ eventTypes: { [nameOf(size)]: { component: 'request' } } }),
    'price_book/not_a_name',
  ],
  'characters of a unit': [
    64,
    (size) => {
      const rates = { r: rate({ unit: 'u'.repeat(size) }) }
      return book({ items: { Calls: { component: 'processing', rates } } })
    },
    'price_book/wrong_unit',
  ],
}

for (const [what, [max, sized, code = 'price_book/too_many']] of Object.entries(SIZES)) {
  test(`a book has at most ${max} ${what}`, () => {
    expect(readPriceBook(sized(max))).toMatchObject({ ok: true })
    const read = readPriceBook(sized(max + 1))
    expect(read.ok ? [] : read.problems.map((problem) => problem.code)).toEqual([code])
  })
}
