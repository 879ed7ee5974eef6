import { priceWords } from '../../src/core/rate/price-book/compare/words.ts'
import { expect, test } from 'vitest'
import { plain } from '../../src/core/money/decimal.ts'
import type { PriceTerm, Rate } from '../../src/core/rate/price-book/price-book.ts'
import { formatHour } from '../../src/core/time/hour.ts'
import { formatProblem, parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'
import { table } from '../table.ts'
import { SAMPLE, sampleWith } from './price-book-sample.ts'

function read(text: string) {
  const parsed = parsePriceBook(text, 'acme.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.book
}

const book = read(SAMPLE)

function shownTerm(term: PriceTerm): string {
  const from = formatHour(term.from)
  if (term.kind === 'free') return `${from} free ${term.reason}`
  if (term.kind === 'unknown') return `${from} unknown`
  if (term.kind === 'tiers') return `${from} ${priceWords(term)}`
  return `${from} ${plain(term.unitPrice)}${term.illustrative ? ' illustrative' : ''}`
}

function shown(rate: Rate) {
  return {
    rate: `${rate.item}/${rate.rate}`,
    component: rate.component,
    operations: rate.operations.join(' '),
    unit: rate.unit,
    base: rate.baseUnit,
    per: plain(rate.per),
    pricing: rate.pricingUnit,
    billed: [...rate.billedStatuses].join(' '),
    until: rate.until === undefined ? '' : formatHour(rate.until),
  }
}

test('the sample is read as the rates that it says, by component, item and rate', () => {
  expect(book.rates.map(shown)).toEqual(
    table(`
  rate            | component  | operations            | unit        | base             | per              | pricing   | billed | until
  Calls/default   | request    | ListReports GetReport | call        | call             | 1000             | 1000 call | 2 4    | 2027-01-01T00Z
  Rendering/films | processing | RenderFilm            | millisecond | millisecond      | 60000            | minute    |        |
  Rendering/pages | processing | RenderPage            | page        | page             | 1                | 1 page    |        |
  Storage/default | storage    |                       | byte        | byte-millisecond | 3600000000000000 | GB-hour   |        |
`),
  )
})

test('prices are in force from their hour of UTC on', () => {
  expect(book.rates.map(({ terms }) => terms.map(shownTerm))).toEqual([
    ['2026-01-01T00Z 0.5', '2026-02-01T00Z free in winter', '2026-02-28T23Z unknown'],
    ['2026-01-01T00Z 0.1 illustrative'],
    ['2026-01-01T00Z 2'],
    ['2026-01-01T00Z 0.0001'],
  ])
})

test('the book has a name, a currency, and knows the operations that it names anywhere', () => {
  expect([book.name, book.currency]).toEqual(['acme', 'EUR'])
  expect([...book.operations]).toEqual(['GetStatus', 'ListReports', 'GetReport', 'RenderPage', 'RenderFilm'])
})

test('the three built-in event types are in every book, beside its own', () => {
  expect([...book.eventTypes]).toEqual([
    ['farthing.request', { component: 'request', operation: undefined }],
    ['farthing.processing', { component: 'processing', operation: undefined }],
    ['farthing.storage', { component: 'storage', operation: undefined }],
    ['com.acme.render', { component: 'processing', operation: 'RenderPage' }],
  ])
  expect([...read(sampleWith('4-5', '# none')).eventTypes.keys()]).toHaveLength(3)
})

test('all statuses but 5xx are billed, unless the book says otherwise (R4, R5)', () => {
  const [calls] = read(sampleWith('14', '# by default')).rates
  expect([...calls!.billedStatuses]).toEqual([1, 2, 3, 4])
})

test('a remark tells where usage will be held, what is made up, and what has a fee after all', () => {
  const parsed = parsePriceBook(sampleWith('3', 'operations: [GetStatus, GetReport]'), 'acme.yaml')
  const remarks = parsed.ok ? parsed.remarks.map(({ place, code }) => `${place.line} ${code}`) : []
  expect(remarks).toEqual([
    '3 price_book/fee_for_free_operation',
    '18 price_book/unknown_price',
    '24 price_book/processing_only',
    '24 price_book/illustrative_prices',
  ])
})
