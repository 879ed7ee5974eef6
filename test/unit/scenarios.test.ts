import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { billsOnPaper } from '../../src/core/bill/bills-on-paper.ts'
import { sha256 } from './oracle-event.ts'
import { groupBy } from '../../src/core/group-by.ts'
import { billsWithLate } from './scenarios-late.ts'
import { blocksOf, deliver, readBook, readPrices } from './scenarios-read.ts'
import { withBills } from './scenarios-render.ts'

const FOLDER = fileURLToPath(new URL('../../scenarios/', import.meta.url))
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.md') && name !== 'README.md')
const read = (name: string) => readFileSync(`${FOLDER}${name}`, 'utf8')
const titleOf = (name: string) => read(name).split('\n')[0]!.replace('# ', '')

for (const name of FILES) {
  test(`${name}: ${titleOf(name)}`, () => {
    const markdown = read(name)
    const blocks = blocksOf(markdown)
    const own = blocks.find(({ info }) => info === 'yaml price-book')
    const book = own ? readBook(own.content, name) : readBook(read('price-book.yaml'), 'price-book.yaml')
    const events = blocks.filter(({ info }) => info === 'events').map(({ content }) => content)
    expect(events.length).toBe(1)
    const { becomes, expected, counted, later } = deliver(book, events[0]!)
    expect(becomes).toEqual(expected)
    const pricesOf = readPrices(book, blocks)
    const isLater = [...later.values()].some(({ received, voided }) => received ?? voided)
    const bills = isLater
      ? [...groupBy(counted, ({ account }) => account)].flatMap(([account, own]) =>
          billsWithLate(pricesOf(account), account, own, later),
        )
      : billsOnPaper(book, counted, { priceVersion: 1, demo: false, sha256, pricesOf })
    const rewritten = withBills(markdown, bills, book)
    // UPDATE=1 accepts the bills as they are: check every figure of the diff by hand before committing it.
    if (process.env['UPDATE'] === '1') writeFileSync(`${FOLDER}${name}`, rewritten)
    else expect(markdown).toBe(rewritten)
  })
}

test('every rule of billing has a scenario that names it', () => {
  const named = FILES.flatMap((name) => titleOf(name).match(/R\d+/g) ?? [])
  const rules = Array.from({ length: 16 }, (_, index) => `R${index + 1}`)
  expect(rules.filter((rule) => !named.includes(rule))).toEqual([])
})

test('a scenario sees a bill that is wrong, missing or too many', () => {
  const book = readBook(read('price-book.yaml'), 'price-book.yaml')
  const { counted } = deliver(book, 'time | operation | result\n2025-07-28T02:30:00Z | SimpleQuery | 200\n')
  const bills = billsOnPaper(book, counted, { priceVersion: 1, demo: false, sha256 })
  const right = withBills('', bills, book)
  expect(right).toContain('```bill 2025-07-28T02Z.acme\ncomponent | item')
  expect(withBills(right, bills, book)).toBe(right)
  expect(withBills(right.replace('0.005 ', '0.006 '), bills, book)).toBe(right)
  expect(withBills(right, [], book)).toBe('\n```bill 2025-07-28T02Z.acme\nno bill\n```\n')
})
