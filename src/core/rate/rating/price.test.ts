import { expect, test } from 'vitest'
import { table } from '../../../../test/table.ts'
import { BOOK, bookOf } from '../../../../test/unit/oracle-book.ts'
import { decimal } from '../../money/decimal.ts'
import { parseHour } from '../../time/hour.ts'
import type { FlatTerm } from './assess.ts'
import { isIllustrative, type Rate, ratesFor, termInForce } from '../price-book/price-book.ts'
import { price } from './price.ts'

const rateOf = (item: string): Rate => BOOK.rates.find((rate) => rate.item === item)!

function priced(quantity: string, per: string, unitPrice: string) {
  const rate = { ...rateOf('RenderPage'), per: decimal(per) }
  const term: FlatTerm = {
    ...rate.terms[0]!,
    kind: 'price',
    unitPrice: decimal(unitPrice),
    illustrative: false,
  }
  const { pricingQuantity, amount } = price(rate, term, decimal(quantity))
  return { pricingQuantity, amount }
}

for (const { quantity, per, pricingQuantity, unitPrice, amount, because } of table<
  'quantity' | 'per' | 'pricingQuantity' | 'unitPrice' | 'amount' | 'because'
>(`
  quantity       | per              | pricingQuantity | unitPrice    | amount                   | because
  1000           | 1000             | 1               | 0.028        | 0.028                    |
  1              | 1000             | 0.001           | 0.028        | 0.000028                 | one call of a price for 1,000
  1234567        | 1000             | 1234.567        | 7.0754717    | 8735.1438702539          | every digit of the product
  83250          | 60000            | 1.3875          | 0.0084       | 0.011655                 | 83.25 s by the minute
  613822         | 60000            | 10.230366666667 | 0.0084       | 0.08593508               | the quantity in minutes does not end, the amount does
  360000000000000000 | 3600000000000000 | 100         | 0.0000315    | 0.00315                  | 100 GB for an hour
  1              | 3                | 0.333333333333  | 0.07         | 0.023333333333           | it never ends: 12 decimals
  2              | 3                | 0.666666666667  | 0.07         | 0.046666666667           | above the half: up
  3              | 3                | 1               | 0.07         | 0.07                     |
  -2             | 3                | -0.666666666667 | 0.07         | -0.046666666667          | a correction gives back what was billed
  1              | 3600000000000000 | 0               | 0.0000315    | 0                        | below half of the twelfth decimal
  1801           | 3600000000000000 | 0.000000000001  | 1            | 0.000000000001           | above half
  1              | 1000             | 0.001           | 0.000000000001 | 0.000000000000001      | an amount that ends keeps every digit
  0              | 7                | 0               | 0.07         | 0                        |
`)) {
  test(`${quantity} x ${unitPrice} / ${per} = ${amount}, and ${pricingQuantity} to read. ${because}`, () => {
    expect(priced(quantity, per, unitPrice)).toEqual({ pricingQuantity, amount })
  })
}

test('free is a price of 0', () => {
  const rate = rateOf('IndexStorage')
  const { unitPrice, amount, pricingQuantity } = price(
    rate,
    rate.terms[0] as FlatTerm,
    decimal('3600000000000000'),
  )
  expect([unitPrice, amount, pricingQuantity]).toEqual(['0', '0', '1'])
})

for (const { item, hour, term, because } of table<'item' | 'hour' | 'term' | 'because'>(`
  item        | hour           | term    | because
  RenderPage  | 2024-12-31T23Z | none    | no price existed: never the first later one
  RenderPage  | 2025-01-01T00Z | price   | a price holds from its first hour
  RenderPage  | 2099-01-01T00Z | price   | the last price has no end
  PriceToCome | 2025-07-28T02Z | unknown | the hour before a change keeps the old term
  PriceToCome | 2025-07-28T03Z | price   | the hour of a change has the new one
  EndsEarlier | 2025-07-28T02Z | price   | the last hour before until
  EndsEarlier | 2025-07-28T03Z | none    | until is the first hour without
`)) {
  test(`the term of ${item} in force at ${hour}: ${term}. ${because}`, () => {
    expect(termInForce(rateOf(item), parseHour(hour)!)?.kind ?? 'none').toBe(term)
  })
}

test('every storage rate is for every level; other rates are for their operations', () => {
  expect(ratesFor(BOOK, 'storage', null).map(({ item }) => item)).toEqual(['IndexStorage'])
  expect(ratesFor(BOOK, 'processing', null)).toEqual([])
  expect(ratesFor(BOOK, 'request', 'SemanticQuery').map(({ item }) => item)).toEqual([
    'SemanticUnderstanding',
    'StandardQueryL1',
  ])
})

test('a book with one illustrative price is illustrative', () => {
  expect(isIllustrative(bookWithPrice({}))).toBe(false)
  expect(isIllustrative(bookWithPrice({ illustrative: true }))).toBe(true)
  expect(isIllustrative(BOOK)).toBe(false)
})

function bookWithPrice(mark: { illustrative?: true }) {
  const prices = [{ from: '2025-01-01T00:00:00Z', price: '1', ...mark }]
  const rates = { default: { operations: ['A'], unit: 'call', per: 1, prices } }
  return bookOf({ priceBook: 'a', currency: 'USD', items: { A: { component: 'processing', rates } } })
}
