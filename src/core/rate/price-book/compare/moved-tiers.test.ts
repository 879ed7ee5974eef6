import { expect, test } from 'vitest'
import { bookOf } from '../../../../../test/unit/oracle-book.ts'
import { parseHour } from '../../../time/hour.ts'
import type { Json } from '../../../text/canonical-json.ts'
import { comparePriceBooks } from './compare-price-books.ts'

const OPEN = parseHour('2026-11-24T14Z')!

// Usage counts through the tiers of a month from its first hour with a price on.
test('a rate with tiers does not begin earlier than it has begun', () => {
  const tiers = { tiers: [{ upTo: '10', price: '0' }, { price: '3' }] }
  const began = '2026-11-10T00:00:00Z'
  const earlier = '2026-11-03T00:00:00Z'
  const withPages = (...prices: readonly Json[]) =>
    bookOf({
      priceBook: 'tiers',
      currency: 'USD',
      items: {
        Tiered: {
          component: 'processing',
          rates: { default: { operations: ['Crop'], unit: 'page', per: 1, prices } },
        },
      },
    })
  const old = withPages({ from: began, ...tiers })
  for (const first of [
    { from: earlier, ...tiers },
    { from: earlier, price: '5' },
  ]) {
    const next = withPages(first, { from: began, ...tiers })
    const found = comparePriceBooks(old, next, OPEN, new Set())
    expect(found.map(({ code, item: of, was, becomes }) => [code, of, was, becomes])).toEqual([
      ['price_book/changed_price', 'Tiered', `from ${began}`, `from ${earlier}`],
    ])
  }
  const flat = withPages({ from: began, price: '5' })
  const filled = withPages({ from: earlier, price: '4' }, { from: began, price: '5' })
  expect(comparePriceBooks(flat, filled, OPEN, new Set())).toEqual([])
})
