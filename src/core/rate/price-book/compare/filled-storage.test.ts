import { expect, test } from 'vitest'
import { bookOf } from '../../../../../test/unit/oracle-book.ts'
import type { Json } from '../../../text/canonical-json.ts'
import { formatHour, parseHour } from '../../../time/hour.ts'
import { storageFilledFrom } from './filled-storage.ts'

const BEFORE = parseHour('2026-06-01T00Z')!

/** `2026-01-01T00Z 0.5, 2026-02-01T00Z free`: the prices of an item of stored data. */
function prices(text: string): Json {
  return text.split(', ').map((term) => {
    const [from, price] = term.split(' ') as [string, string]
    const start = from.replace('Z', ':00:00Z')
    return price === 'free' ? { from: start, free: 'until announced' } : { from: start, price }
  })
}

function book(items: Readonly<Record<string, string>>) {
  const rated = Object.entries(items).map(([name, text]) => {
    const rate = { unit: 'byte', per: 'GB-hour', prices: prices(text) }
    return [name, { component: 'storage', rates: { default: rate } }]
  })
  const calls = { operations: ['Get'], unit: 'call', per: 1, prices: prices('2020-01-01T00Z 1') }
  const all = { ...Object.fromEntries(rated), Calls: { component: 'request', rates: { default: calls } } }
  return bookOf({ priceBook: 'p', currency: 'USD', items: all })
}

const UNKNOWN = '2026-01-01T00Z unknown'

// What an item was, what it becomes, and the first hour before June 2026 that got a price.
test.each([
  ['a price', UNKNOWN, '2026-01-01T00Z 0.5', '2026-01-01T00Z'],
  ['free is a price', UNKNOWN, '2026-01-01T00Z free', '2026-01-01T00Z'],
  ['the later part only', UNKNOWN, `${UNKNOWN}, 2026-03-01T05Z 2`, '2026-03-01T05Z'],
  ['the earlier part only', UNKNOWN, '2026-01-01T00Z 3, 2026-02-01T00Z unknown', '2026-01-01T00Z'],
  [
    'unknown between prices',
    '2026-01-01T00Z 1, 2026-02-01T00Z unknown, 2026-03-01T00Z 1',
    '2026-01-01T00Z 1',
    '2026-02-01T00Z',
  ],
  ['the last hour that counts', UNKNOWN, `${UNKNOWN}, 2026-05-31T23Z 2`, '2026-05-31T23Z'],
  ['the first that does not', UNKNOWN, `${UNKNOWN}, 2026-06-01T00Z 2`, undefined],
  ['the same', UNKNOWN, UNKNOWN, undefined],
  ['another price to come', '2026-01-01T00Z 1', '2026-01-01T00Z 1, 2026-07-01T00Z 2', undefined],
] as const)('stored data gets %s', (_, was, becomes, from) => {
  const hour = storageFilledFrom(book({ Store: was }), book({ Store: becomes }), BEFORE)
  expect(hour === undefined ? hour : formatHour(hour)).toBe(from)
})

test('of several items the one that is filled from the oldest hour on counts', () => {
  const was = book({ A: UNKNOWN, B: UNKNOWN, C: '2020-01-01T00Z 1' })
  const becomes = book({
    A: `${UNKNOWN}, 2026-03-01T00Z 1`,
    B: `${UNKNOWN}, 2026-02-01T00Z 1`,
    C: '2020-01-01T00Z 1',
  })
  expect(storageFilledFrom(was, becomes, BEFORE)).toBe(parseHour('2026-02-01T00Z'))
  expect(storageFilledFrom(was, was, BEFORE)).toBeUndefined()
})

test('usage that is held is no matter of stored data', () => {
  const requests = (price: string) => {
    const rate = { operations: ['Get'], unit: 'call', per: 1, prices: prices(`2026-01-01T00Z ${price}`) }
    return bookOf({
      priceBook: 'p',
      currency: 'USD',
      items: { Calls: { component: 'request', rates: { default: rate } } },
    })
  }
  expect(storageFilledFrom(requests('unknown'), requests('1'), BEFORE)).toBeUndefined()
})
