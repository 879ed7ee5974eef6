import { expect, test } from 'vitest'
import { bookOf } from '../../../../test/unit/oracle-book.ts'
import type { Json } from '../../text/canonical-json.ts'
import { plain } from '../../money/decimal.ts'
import { formatHour, parseHour } from '../../time/hour.ts'
import { priceWords } from '../price-book/compare/words.ts'
import { type AccountPrices, effectiveTerm, publicPrices } from './account-prices.ts'

const A = { tiers: [{ upTo: '10', price: '0' }, { price: '3' }] }
const B = { tiers: [{ upTo: '20', price: '1' }, { price: '2' }] }

function pricesWith(...prices: readonly Json[]): AccountPrices {
  const rate = { operations: ['Render'], unit: 'page', per: 1, prices }
  const items = { Pages: { component: 'processing', rates: { default: rate } } }
  return publicPrices(bookOf({ priceBook: 'a', currency: 'USD', items }))
}

function at(prices: AccountPrices, hour: string): string {
  const { term, stretchFrom } = effectiveTerm(prices, prices.book.rates[0]!, parseHour(hour)!)
  return `${priceWords(term)}; ${stretchFrom === null ? 'no stretch' : formatHour(stretchFrom)}`
}

const FLAT = '5; no stretch'
const IN_A = '0 up to 10, then 3'
const IN_B = '1 up to 20, then 2'

test('a stretch is the month, as long as the tiers are the same', () => {
  const prices = pricesWith({ from: '2026-01-01T00:00:00Z', ...A }, { from: '2027-02-10T00:00:00Z', ...A })
  expect(at(prices, '2027-01-31T23Z')).toBe(`${IN_A}; 2027-01-01T00Z`)
  expect(at(prices, '2027-02-01T00Z')).toBe(`${IN_A}; 2027-02-01T00Z`)
  expect(at(prices, '2027-02-20T00Z')).toBe(`${IN_A}; 2027-02-01T00Z`)
})

test('from a flat price to tiers and back changes at its hour, and a stretch begins at 0', () => {
  const prices = pricesWith(
    { from: '2026-01-01T00:00:00Z', price: '5' },
    { from: '2027-02-10T05:00:00Z', ...A },
    { from: '2027-02-20T00:00:00Z', free: 'for a day' },
    { from: '2027-02-21T00:00:00Z', ...A },
  )
  expect(at(prices, '2027-02-10T04Z')).toBe(FLAT)
  expect(at(prices, '2027-02-10T05Z')).toBe(`${IN_A}; 2027-02-10T05Z`)
  expect(at(prices, '2027-02-20T12Z')).toBe('free: for a day; no stretch')
  expect(at(prices, '2027-02-21T00Z')).toBe(`${IN_A}; 2027-02-21T00Z`)
  expect(at(prices, '2027-03-01T00Z')).toBe(`${IN_A}; 2027-03-01T00Z`)
})

test('from tiers to other tiers waits for the next month', () => {
  const prices = pricesWith({ from: '2026-01-01T00:00:00Z', ...A }, { from: '2027-02-10T00:00:00Z', ...B })
  expect(at(prices, '2027-02-28T23Z')).toBe(`${IN_A}; 2027-02-01T00Z`)
  expect(at(prices, '2027-03-01T00Z')).toBe(`${IN_B}; 2027-03-01T00Z`)
})

test('other tiers that begin with a month count from it', () => {
  const prices = pricesWith({ from: '2026-01-01T00:00:00Z', ...A }, { from: '2027-02-01T00:00:00Z', ...B })
  expect(at(prices, '2027-02-01T00Z')).toBe(`${IN_B}; 2027-02-01T00Z`)
})

test('a flat price after tiers that waited counts at its hour', () => {
  const prices = pricesWith(
    { from: '2026-01-01T00:00:00Z', ...A },
    { from: '2027-02-10T00:00:00Z', ...B },
    { from: '2027-02-15T00:00:00Z', price: '5' },
    { from: '2027-02-16T00:00:00Z', ...B },
  )
  expect(at(prices, '2027-02-12T00Z')).toBe(`${IN_A}; 2027-02-01T00Z`)
  expect(at(prices, '2027-02-15T00Z')).toBe(FLAT)
  expect(at(prices, '2027-02-16T00Z')).toBe(`${IN_B}; 2027-02-16T00Z`)
})

test('the month is the account’s own', () => {
  const prices = pricesWith({ from: '2026-01-01T00:00:00Z', ...A }, { from: '2027-02-10T00:00:00Z', ...B })
  const monthStart = () => parseHour('2027-02-10T00Z')!
  expect(at({ ...prices, monthStart }, '2027-02-12T00Z')).toBe(`${IN_B}; 2027-02-10T00Z`)
})

test('upTo counts in base units or in the pricing unit of the rate', () => {
  const tiers = [{ upTo: '1000 GB-hour', price: '0' }, { price: '0.1' }]
  const rate = { unit: 'byte', per: 'GB-hour', prices: [{ from: '2026-01-01T00:00:00Z', tiers }] }
  const items = { Stored: { component: 'storage', rates: { default: rate } } }
  const [term] = bookOf({ priceBook: 'a', currency: 'USD', items }).rates[0]!.terms
  expect(term?.kind === 'tiers' && plain(term.tiers[0]!.upTo!)).toBe('3600000000000000000')
})
