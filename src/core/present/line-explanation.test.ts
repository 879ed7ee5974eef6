import { expect, test } from 'vitest'
import { decimal } from '../money/decimal.ts'
import type { Rate } from '../rate/price-book/price-book.ts'
import { parseHour } from '../time/hour.ts'
import type { LineView } from './bill-table.ts'
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
Amount   2.5 × 0.028 = 0.07 USD
`)
})

test('a correction names its hour and the bill that it corrects; a rounded quantity says so', () => {
  const correction = {
    ...line,
    component: 'request',
    rate: 'default',
    correction: true,
    usageHour: '2025-07-28T01:00:00Z',
    corrects: '2025-07-28T01Z.acme',
    quantity: '1',
    pricingQuantity: '0.333333333333',
  } as const
  const shown = text(lineExplanation(BILL, correction, { ...terms, rate: { ...rate, per: decimal('3') } }))
  expect(shown).toContain(
    'When     a correction of 2025-07-28 01:00 UTC (corrects bill 2025-07-28T01Z.acme)\n',
  )
  expect(shown).toContain(
    'under ImageDetect, whatever they are answered; those answered 5xx are counted and not billed\n',
  )
  expect(shown).toContain('(the quantity is rounded half-even to 12 decimals)')
})

test('a line that gives back says so in words', () => {
  const back = { ...line, correction: true, quantity: '-1', waived: '-2' } as const
  expect(text(lineExplanation(BILL, back, undefined))).toContain(
    'Counted  1 call given back, 2 calls fewer counted and not billed\n',
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
  const back = text(lineEventsTable([level, { ...level, voided: true, quantity: '-3600000000000000' }]))
  expect(back).toMatch(/ l-1\n.+-3,600,000,000,000,000 .+ l-1 {4}taken back\n$/)
  expect(lineEventsTable([])).toEqual([{ role: 'plain', text: 'No events.' }])
})
