import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { decimal } from '../money/decimal.ts'
import { unitsOf } from '../rate/price-book/per.ts'
import type { Rate } from '../rate/price-book/price-book.ts'
import { price as pricedAt } from '../rate/rating/price.ts'
import { parseHour } from '../time/hour.ts'
import type { LineView } from './bill-view.ts'
import { lineEventsTable } from './line-events-table.ts'
import { lineExplanation } from './line-explanation.ts'
import type { LineTerms } from './line-terms.ts'
import type { TextLine } from './text-table.ts'

const BILL = { id: '2025-07-28T03Z.acme', currency: 'USD' }

const line: LineView = {
  number: 2,
  component: 'processing',
  item: 'ImageDetect',
  rate: 'bodies',
  operation: 'DetectImageBodies',
  project: 'photos',
  region: null,
  usageHour: '2025-07-28T03:00:00Z',
  quantity: '2500',
  unit: 'call',
  waived: '1',
  pricingQuantity: '2.5',
  pricingUnit: '1000 call',
  unitPrice: '0.028',
  listPrice: '0.028',
  priceList: null,
  tier: null,
  listTier: null,
  position: null,
  amount: '0.07',
  correction: false,
  corrects: null,
  priceVersion: 3,
}

const rate: Rate = {
  item: 'ImageDetect',
  rate: 'bodies',
  component: 'processing',
  operations: ['DetectImageBodies'],
  unit: 'call',
  baseUnit: 'call',
  per: decimal('1000'),
  pricingUnit: '1000 call',
  billedStatuses: new Set([1, 2, 3, 4]),
  terms: [],
  until: undefined,
}

const terms: LineTerms = {
  rate,
  before: { from: parseHour('2025-01-01T00Z')!, kind: 'free', reason: 'for a limited time' },
  term: {
    from: parseHour('2025-07-28T03Z')!,
    kind: 'price',
    unitPrice: decimal('0.028'),
    illustrative: false,
  },
  after: { from: parseHour('2026-01-01T00Z')!, kind: 'unknown' },
}

function text(lines: readonly TextLine[]): string {
  return `\n${lines.map((each) => each.text).join('\n')}\n`
}

test('why a line is on the bill: its rule, what was counted, the price with its dates, and the sum', () => {
  expect(text(lineExplanation(BILL, line, terms))).toBe(`
Data processing fees: line 2 of bill 2025-07-28T03Z.acme
What     ImageDetect/bodies, operation DetectImageBodies, project photos
When     used in the hour from 2025-07-28 03:00 UTC
Rule     what DetectImageBodies processes is billed under ImageDetect, rate bodies in the hour in which it completes; failed tasks are not
Counted  2,500 calls billed, 1 call counted and not billed; one price is for 1,000 calls
Price    0.028 USD per 1,000 calls from 2025-07-28 03:00 UTC on; before: free for a limited time; next: unknown from 2026-01-01 00:00 UTC on (version 3 of the price book)
Amount   2,500 × 0.028 / 1,000 = 0.07 USD
`)
})

test('a correction names its hour and the bill that it corrects', () => {
  const correction = {
    ...line,
    component: 'request',
    rate: 'default',
    correction: true,
    usageHour: '2025-07-28T01:00:00Z',
    corrects: '2025-07-28T01Z.acme',
  } as const
  const shown = text(lineExplanation(BILL, correction, terms))
  expect(shown).toContain(
    'When     a correction of 2025-07-28 01:00 UTC (corrects bill 2025-07-28T01Z.acme)\n',
  )
  expect(shown).toContain(
    'under ImageDetect, whatever they are answered; those answered 5xx are counted and not billed\n',
  )
})

// The arithmetic in base units, so that anyone can redo it: the amount is never computed from a rounded quantity.
for (const { used, unit, per, price, shown } of table<'used' | 'unit' | 'per' | 'price' | 'shown'>(`
  used   | unit        | per       | price  | shown
  190    | page        | 1000 page | 1.5    | 190 × 1.5 / 1,000 = 0.285 USD
  12     | page        | 1 page    | 0.02   | 12 × 0.02 = 0.24 USD
  613822 | millisecond | minute    | 0.0084 | 613,822 × 0.0084 / 60,000 = 0.08593508 USD
  2      | page        | 3 page    | 0.07   | 2 × 0.07 / 3 ≈ 0.046666666667 USD (more than 18 decimals: rounded to 12)
  -2     | page        | 3 page    | 0.07   | -2 × 0.07 / 3 ≈ -0.046666666667 USD (more than 18 decimals: rounded to 12)
  1      | byte-millisecond | GB-hour | 0.00003 | 1 × 0.00003 / 3,600,000,000,000,000 ≈ 0 USD (more than 18 decimals: rounded to 12)
  5      | byte-millisecond | GB-hour | 0  | 5 × 0 / 3,600,000,000,000,000 = 0 USD
`)) {
  test(`the amount can be redone: ${shown}`, () => {
    const rateOf = { ...rate, per: unitsOf(per) }
    const term = { ...terms.term!, kind: 'price', unitPrice: decimal(price), illustrative: false } as const
    const { quantity, pricingQuantity, unitPrice, amount } = pricedAt(rateOf, term, decimal(used))
    const priced = { ...line, unit, pricingUnit: per, quantity, pricingQuantity, unitPrice, amount }
    expect(text(lineExplanation(BILL, priced, undefined))).toContain(`\nAmount   ${shown}\n`)
  })
}

test('a line that gives back says so in words', () => {
  const back = {
    ...line,
    correction: true,
    quantity: '-1000',
    waived: '-2',
    pricingQuantity: '-1',
    amount: '-0.028',
  } as const
  expect(text(lineExplanation(BILL, back, undefined))).toContain(
    'Counted  1,000 calls given back, 2 calls fewer counted and not billed; one price is for 1,000 calls\n',
  )
})

test('without the price book, the line speaks for itself', () => {
  const storage = { ...line, component: 'storage', operation: null, project: null, region: 'eu-1' } as const
  const shown = text(lineExplanation(BILL, storage, undefined))
  expect(shown).toContain('What     ImageDetect/bodies, region eu-1\n')
  expect(shown).toContain('Price    0.028 USD per 1,000 calls (version 3 of the price book)\n')
})

test('the events behind a line, with what each adds to it', () => {
  const event = {
    specversion: '1.0' as const,
    source: '/api',
    type: 'farthing.request',
    subject: 'acme',
    time: '2025-07-28T03:00:01.500Z',
  }
  const data = [
    { status: 200, count: 1200 },
    { status: 503 },
    { mode: 'async', outcome: 'failed' },
    { mode: 'sync' },
  ]
  const items = data.map((each, at) => ({
    kind: 'event' as const,
    voided: false,
    event: { ...event, id: `e-${at}`, data: each },
    receivedAt: '2025-07-28T03:00:02.000Z',
    quantity: at === 0 ? '1200' : '0',
    waived: at === 0 ? '0' : '1',
  }))
  expect(text(lineEventsTable(items))).toBe(`
Time, UTC                Billed  Not billed  Answer     Source  Event
2025-07-28 03:00:01.500   1,200           0  200        /api    e-0
2025-07-28 03:00:01.500       0           1  503        /api    e-1
2025-07-28 03:00:01.500       0           1  failed     /api    e-2
2025-07-28 03:00:01.500       0           1  succeeded  /api    e-3
`)
})

test('the levels behind a line of storage: how many bytes, from when to when', () => {
  const level = {
    kind: 'level',
    voided: false,
    id: 'l-1',
    source: '/index',
    time: '2025-07-28T02:30:00.000Z',
    dataset: null,
    bytes: '2000000000',
    from: '2025-07-28T03:00:00.000Z',
    to: '2025-07-28T03:30:00.000Z',
    quantity: '3600000000000000',
  } as const
  expect(text(lineEventsTable([level]))).toBe(`
Stored from, UTC  to                        Bytes      Byte-milliseconds  Dataset  Announced, UTC    Source  Event
2025-07-28 03:00  2025-07-28 03:30  2,000,000,000  3,600,000,000,000,000           2025-07-28 02:30  /index  l-1
`)
  const back = text(lineEventsTable([level, { ...level, voided: true, quantity: '0' }]))
  expect(back).toMatch(/ l-1\n.+ 0 .+ l-1 {4}voided\n$/)
  const billed = {
    kind: 'billed',
    bill: '2025-07-28T03Z.acme',
    line: 2,
    issuedAt: '2025-07-28T04:10:00.000Z',
    quantity: '-7200000000000000',
  } as const
  expect(text(lineEventsTable([billed]))).toBe(`
Billed before, on bill  Line  Issued, UTC            Byte-milliseconds
2025-07-28T03Z.acme        2  2025-07-28 04:10  -7,200,000,000,000,000
`)
  expect(lineEventsTable([])).toEqual([{ role: 'plain', text: 'No events.' }])
})
