import { expect, test } from 'vitest'
import { readPriceBook } from '../rate/price-book/parse/read-price-book.ts'
import { priceBookSummary, priceBookTable } from './price-book-table.ts'

const read = readPriceBook({
  priceBook: 'test',
  currency: 'EUR',
  operations: ['GetStatus'],
  items: {
    Calls: {
      component: 'request',
      rates: {
        default: {
          operations: ['ListReports', 'GetReport'],
          unit: 'call',
          per: 1000,
          billedStatuses: ['2xx', '3xx', '4xx'],
          prices: [{ from: '2026-01-01T00:00:00Z', price: '0.50', illustrative: true }],
        },
      },
    },
    Reports: {
      component: 'processing',
      rates: {
        pages: {
          operations: ['GetReport'],
          unit: 'page',
          per: 1,
          prices: [
            { from: '2026-01-01T00:00:00Z', free: 'until launch' },
            { from: '2026-03-01T00:00:00+01:00', price: '0.0225' },
            { from: '2027-01-01T00:00:00Z', price: 'unknown' },
          ],
          until: '2028-01-01T00:00:00Z',
        },
      },
    },
  },
})
if (!read.ok) throw new Error(JSON.stringify(read.problems))
const { book } = read

function text(operations: boolean): string {
  const lines = priceBookTable(book, { operations })
  return `\n${lines.map((line) => line.text).join('\n')}\n`
}

test('every rate with its prices, the oldest first', () => {
  expect(text(false)).toBe(`
  Item           From, UTC         Price EUR
Request fees
  Calls          2026-01-01 00:00     0.5    per 1,000 calls  illustrative

Data processing fees
  Reports/pages  2026-01-01 00:00     0      per page         free until launch
                 2026-02-28 23:00     0.0225 per page
                 2027-01-01 00:00                             price unknown: usage is held
                 2028-01-01 00:00                             no longer in force
`)
})

test('with the operations of each rate, and the answers that are not billed', () => {
  const lines = text(true).split('\n')
  expect(lines).toContain('      GetReport')
  expect(lines).toContain('      not billed: answers 1xx or 5xx')
})

test('what is in a book, in one line', () => {
  expect(priceBookSummary(book)).toBe(
    'price book test in EUR, 2 items, 2 rates, 3 operations, 4 prices (1 illustrative)',
  )
})
