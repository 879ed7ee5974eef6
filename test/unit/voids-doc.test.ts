import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { addEvent, emptyAccountHour, takeBack } from '../../src/core/bill/account-hour.ts'
import type { Bill } from '../../src/core/bill/bill.ts'
import { billId } from '../../src/core/bill/bill-id.ts'
import { billsOnPaper } from '../../src/core/bill/bills-on-paper.ts'
import { draftBill } from '../../src/core/bill/draft-bill.ts'
import { publicPrices } from '../../src/core/rate/rating/account-prices.ts'
import { sha256 } from './oracle-event.ts'
import { blocksOf, deliver, readBook } from './scenarios-read.ts'
import { withBills } from './scenarios-render.ts'

const PAGE = 'docs/voids.md'

// The worked bills on the page, from the events on the page. UPDATE=1 accepts them as they are: check every figure.
test('the bill on the page that gives back is the one that follows from its events', () => {
  const page = readFileSync(PAGE, 'utf8')
  const book = readBook(readFileSync('scenarios/price-book.yaml', 'utf8'), 'price-book.yaml')
  const [events] = blocksOf(page).filter(({ info }) => info === 'events')
  const { becomes, expected, counted } = deliver(book, events!.content)
  expect(becomes).toEqual(expected)
  const [billed, open] = billsOnPaper(book, counted, { priceVersion: 1, demo: false, sha256 })
  const named = /What is voided: `(req-\d)` and `(req-\d)`/.exec(page)!.slice(1)
  const sums = emptyAccountHour()
  for (const event of counted) {
    if (event.hour === open!.hour) addEvent(sums, book, event)
    if (named.includes(event.id)) takeBack(sums, book, event)
  }
  const { account, hour } = open!
  const paid = { prices: publicPrices(book), positions: new Map() }
  const draft = draftBill({ account, hour, priceVersion: 1, isBilled: () => true, ...paid }, sums.tally)!
  expect(draft.lines.map(({ corrects }) => corrects)).toEqual([null, billId(account, billed!.hour)])
  expect(draft.lines.some(({ amount }) => amount.startsWith('-'))).toBe(true)
  const bill: Bill = { ...open!, ...draft }
  const rewritten = withBills(page, [billed!, bill], book)
  if (process.env['UPDATE'] === '1') writeFileSync(PAGE, rewritten)
  else expect(page).toBe(rewritten)
})
