import { expect, test } from 'vitest'
import { BOOK_DATA, bookOf } from '../../../test/unit/oracle-book.ts'
import { changesBetween } from '../rate/price-book/compare/changes.ts'
import { componentsOf } from './bill-components.ts'
import { priceBookChangesTable, priceBookChangeView } from './price-book-changes.ts'

const { ImageDetect, IndexStorage, ...items } = BOOK_DATA.items
const PRICES = [
  { from: '2025-01-01T00:00:00Z', price: '0.028' },
  { from: '2026-01-01T00:00:00Z', free: 'for now' },
]
const { faces, bodies } = ImageDetect.rates
const next = bookOf({
  ...BOOK_DATA,
  operations: ['GetProject', 'A', 'B', 'C', 'D'],
  items: {
    ...items,
    ImageDetect: {
      ...ImageDetect,
      rates: {
        bodies,
        faces: { ...faces, prices: PRICES },
      },
    },
    Archive: IndexStorage,
  },
})
const changes = changesBetween(bookOf(BOOK_DATA), next).map(priceBookChangeView)

test('what differs between two versions, by the parts of a bill, with from when on', () => {
  const lines = priceBookChangesTable(changes).map(({ text }) => text)
  expect(`\n${lines.join('\n')}\n`).toBe(`
  What                                   From, UTC         To, UTC           Was                    Becomes
The book
  known from now on: A, B, C and 1 more

Data processing fees
  ImageDetect/faces                      2026-01-01 00:00                    0.028                  free: for now

Index storage fees
  Archive: added                                                                                    GB-hour
  Archive                                2025-01-01 00:00  2025-07-28 03:00  not in force           free: until announced
  Archive                                2025-07-28 03:00                    not in force           0.0000315
  IndexStorage: removed                                                      GB-hour
  IndexStorage                           2025-01-01 00:00  2025-07-28 03:00  free: until announced  not in force
  IndexStorage                           2025-07-28 03:00                    0.0000315              not in force
`)
})

test('headings that differ, under the newest ones', () => {
  const named = bookOf({ ...BOOK_DATA, headings: { processing: 'Pages read', storage: 'Archive' } })
  const renamed = bookOf({ ...BOOK_DATA, headings: { processing: 'Pages' } })
  const table = priceBookChangesTable(
    changesBetween(named, renamed).map(priceBookChangeView),
    undefined,
    componentsOf(renamed),
  )
  const lines = table.map(({ text }) => text.replaceAll(/ +/g, ' ').trim())
  expect(lines.slice(1)).toEqual([
    'Pages',
    'heading Pages read Pages',
    '',
    'Index storage fees',
    'heading Archive',
  ])
})

test('nothing differs', () => {
  expect(priceBookChangesTable([])).toEqual([{ role: 'plain', text: 'Nothing differs.' }])
})

test('foreign text in a reason cannot move a cursor', () => {
  const foreign = { ...changes[0]!, was: 'free: \u202ea\u001b[2J', becomes: null }
  const [, , line] = priceBookChangesTable([foreign])
  expect(line!.text).not.toMatch(/\p{Cc}|\p{Cf}/u)
})
