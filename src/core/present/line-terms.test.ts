import { describe, expect, test } from 'vitest'
import { bookOf } from '../../../test/unit/oracle-book.ts'
import type { Json } from '../text/canonical-json.ts'
import { plain } from '../money/decimal.ts'
import { priceWords } from '../rate/price-book/compare/words.ts'
import { readPriceList } from '../rate/price-list/read-price-list.ts'
import { type LineKey, lineTerms, waivedStatuses } from './line-terms.ts'

// Guarantee: the rule that is named behind a line is the one that its price is from, also where tiers waited for a month.

const pages = (...prices: readonly Json[]) => {
  const rate = { operations: ['Render'], unit: 'page', per: 1, prices }
  const items = { Pages: { component: 'processing', rates: { default: rate } } }
  return bookOf({ priceBook: 'a', currency: 'USD', items })
}

const A = { from: '2026-01-01T00:00:00Z', tiers: [{ upTo: '10', price: '0' }, { price: '3' }] }
const B = { from: '2027-02-10T00:00:00Z', tiers: [{ upTo: '20', price: '1' }, { price: '2' }] }
const FLAT = { from: '2026-01-01T00:00:00Z', price: '5' }

const LINE: LineKey = {
  component: 'processing',
  item: 'Pages',
  rate: 'default',
  usageHour: '2027-02-12T00:00:00Z',
  unitPrice: '3',
  listPrice: '3',
  priceList: null,
  tier: 2,
  listTier: 2,
}

function listsOf(book: ReturnType<typeof pages>, rules: { readonly [key: string]: Json }) {
  const read = readPriceList({ priceList: 'partners', ...rules }, book)
  if (!read.ok) throw new Error(read.problems[0]!.message)
  return new Map([['partners', read.list]])
}

function named(...prices: readonly Json[]) {
  return { items: { Pages: { rates: { default: { prices } } } } }
}

describe('the public price of a line', () => {
  test('is the one in force, with those before and after it', () => {
    const book = pages(
      FLAT,
      { ...B, from: '2027-02-01T00:00:00Z' },
      { ...FLAT, from: '2027-03-01T00:00:00Z' },
    )
    const found = lineTerms(book, { ...LINE, unitPrice: '2', listPrice: '2' })!
    const words = [found.before, found.term, found.after].map((term) => term && priceWords(term))
    expect(words).toEqual(['5', '1 up to 20, then 2', '5'])
  })

  test('is an older one where its tiers still count', () => {
    const found = lineTerms(pages(A, B), LINE)!
    expect(priceWords(found.term)).toBe('0 up to 10, then 3')
    expect(priceWords(found.after)).toBe('1 up to 20, then 2')
  })

  test('is the newest of two that cost the same', () => {
    const again = { ...A, from: '2027-02-11T00:00:00Z' }
    const found = lineTerms(pages(A, B, again), LINE)!
    expect(found.term).toBe(found.rate.terms[2])
  })

  test('is looked for up to the hour of the line, and no later', () => {
    const found = lineTerms(pages(FLAT, { ...A, from: '2027-02-13T00:00:00Z' }), {
      ...LINE,
      unitPrice: '5',
      listPrice: '5',
      tier: null,
      listTier: null,
    })!
    expect(priceWords(found.term)).toBe('5')
  })

  test('is not there before the first one; a rate that the book has not has nothing', () => {
    expect(lineTerms(pages({ ...A, from: '2028-01-01T00:00:00Z' }), LINE)?.term).toBe(undefined)
    for (const other of [
      { item: 'Sites' },
      { rate: 'fast' },
      { component: 'request' },
      { usageHour: 'noon' },
    ]) {
      expect(lineTerms(pages(A), { ...LINE, ...(other as Partial<LineKey>) })).toBe(undefined)
    }
  })
})

describe('what a price list made of it', () => {
  const listed = { ...LINE, priceList: 'partners' }

  test('is its own price, and no discount', () => {
    const book = pages(FLAT)
    const own = { from: '2026-01-01T00:00:00Z', price: '4' }
    const lists = listsOf(book, { ...named(own), discount: '0.1' })
    const line = { ...listed, unitPrice: '4', listPrice: '5', tier: null, listTier: null }
    const found = lineTerms(book, line, lists)!.listed!
    expect([priceWords(found.term), found.own && priceWords(found.own), found.discount]).toEqual([
      '4',
      '4',
      undefined,
    ])
  })

  test('is the public price less the discount, tier by tier', () => {
    const book = pages(A)
    const found = lineTerms(
      book,
      { ...listed, unitPrice: '2.7' },
      listsOf(book, { discount: '0.1' }),
    )!.listed!
    expect([priceWords(found.term), found.own]).toEqual(['0 up to 10, then 2.7', undefined])
    expect(plain(found.discount!.share)).toBe('0.1')
  })

  test('is an older discount where its tiers still count', () => {
    const book = pages(A)
    const discount = [
      { from: '2026-01-01T00:00:00Z', discount: '0.1' },
      { from: '2027-02-10T00:00:00Z', discount: '0.5' },
    ]
    const found = lineTerms(book, { ...listed, unitPrice: '2.7' }, listsOf(book, { discount }))!.listed!
    expect(plain(found.discount!.share)).toBe('0.1')
  })

  test('is nothing off with a discount of 0', () => {
    const book = pages(A)
    const found = lineTerms(book, listed, listsOf(book, { discount: '0' }))!.listed!
    expect([priceWords(found.term), found.discount]).toEqual(['0 up to 10, then 3', undefined])
  })

  test('is unknown where the list is not at hand, or was another', () => {
    const book = pages(A)
    expect(lineTerms(book, listed)!.listed).toBe(undefined)
    expect(lineTerms(book, LINE, listsOf(book, { discount: '0.1' }))!.listed).toBe(undefined)
    expect(lineTerms(book, listed, listsOf(book, { discount: '0.1' }))!.listed).toBe(undefined)
  })
})

test('statuses that are counted and not billed are named', () => {
  const [rate] = pages(A).rates
  expect(waivedStatuses({ ...rate!, billedStatuses: new Set([1, 2, 3, 4]) })).toBe('5xx')
  expect(waivedStatuses({ ...rate!, billedStatuses: new Set([2, 5]) })).toBe('1xx or 3xx or 4xx')
})
