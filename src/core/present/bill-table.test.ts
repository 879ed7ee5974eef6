import { expect, test } from 'vitest'
import { BUILT_IN_EVENT_TYPES } from '../ingest/usage.ts'
import { decimal } from '../money/decimal.ts'
import type { Component, PriceBook, Rate } from '../rate/price-book/price-book.ts'
import { parseHour } from '../time/hour.ts'
import { componentsOf, type SoldComponents } from './bill-components.ts'
import { billTable } from './bill-table.ts'
import type { BillView, LineView } from './bill-view.ts'
import { lineTerms } from './line-terms.ts'

const DIGEST = '0123456789abcdef'.repeat(4)

const line: LineView = {
  number: 1,
  component: 'request',
  item: 'StandardQueryL0',
  rate: 'default',
  operation: 'SimpleQuery',
  project: 'photos',
  region: null,
  usageHour: '2025-07-28T03:00:00Z',
  quantity: '1234567',
  unit: 'call',
  waived: '2',
  pricingQuantity: '1234.567',
  pricingUnit: '1000 call',
  unitPrice: '0.005',
  listPrice: '0.005',
  priceList: null,
  tier: null,
  listTier: null,
  position: null,
  amount: '6.172835',
  correction: false,
  corrects: null,
  priceVersion: 1,
}

const lines: readonly LineView[] = [
  line,
  {
    ...line,
    number: 2,
    component: 'processing',
    item: 'ImageDetect',
    rate: 'faces',
    operation: 'DetectImageFaces',
    quantity: '2500',
    waived: '1',
    pricingQuantity: '2.5',
    unitPrice: '0.028',
    amount: '0.07',
  },
  {
    ...line,
    number: 3,
    component: 'storage',
    item: 'IndexStorage',
    operation: null,
    quantity: '4500000000000000',
    unit: 'byte-millisecond',
    waived: '0',
    pricingQuantity: '1.25',
    pricingUnit: 'GB-hour',
    unitPrice: '0',
    amount: '0',
  },
  {
    ...line,
    number: 4,
    usageHour: '2025-07-28T01:00:00Z',
    quantity: '-1000',
    waived: '-3',
    pricingQuantity: '-1',
    amount: '-0.005',
    correction: true,
    corrects: '2025-07-28T01Z.acme',
  },
]

const bill: BillView = {
  id: '2025-07-28T03Z.acme',
  account: 'acme',
  cycle: { from: '2025-07-28T03:00:00Z', to: '2025-07-28T04:00:00Z' },
  issuedAt: '2025-07-28T04:10:00.123Z',
  currency: 'USD',
  demo: false,
  late: false,
  total: '6.237835',
  components: { request: '6.167835', processing: '0.07', storage: '0' },
  sequence: 4,
  statementMonth: '2025-07',
  eventsDigest: DIGEST,
  linesDigest: DIGEST,
  digest: DIGEST,
  previousDigest: null,
  lines: atPublicPrices(lines),
}

function atPublicPrices(all: readonly LineView[]): readonly LineView[] {
  return all.map((each) => ({ ...each, listPrice: each.unitPrice }))
}

function rate(key: Pick<Rate, 'component' | 'item' | 'rate'>, isFree: boolean): Rate {
  const from = parseHour('2025-01-01T00Z')!
  return {
    ...key,
    operations: [],
    unit: 'call',
    baseUnit: 'call',
    per: decimal('1000'),
    pricingUnit: '1000 call',
    billedStatuses: new Set([1, 2, 3]),
    terms: isFree
      ? [{ from, kind: 'free', reason: 'until announced' }]
      : [{ from, kind: 'price', unitPrice: decimal('0.005'), illustrative: false }],
    until: undefined,
  }
}

const book: PriceBook = {
  name: 'test',
  currency: 'USD',
  headings: new Map(),
  eventTypes: BUILT_IN_EVENT_TYPES,
  operations: new Set(),
  freeOperations: new Set(),
  rates: [
    rate({ component: 'request', item: 'StandardQueryL0', rate: 'default' }, false),
    rate({ component: 'storage', item: 'IndexStorage', rate: 'default' }, true),
  ],
}

function text(...args: Parameters<typeof billTable>): string {
  return `\n${billTable(...args)
    .map((each) => each.text)
    .join('\n')}\n`
}

test('a bill reads as quantity × unit price = amount, its three components, and its total', () => {
  expect(text(bill, { termsOf: (each) => lineTerms(book, each) })).toBe(`
Bill 2025-07-28T03Z.acme
Account         acme
Cycle           2025-07-28 03:00 to 2025-07-28 04:00 UTC
Issued          2025-07-28 04:10:00.123 UTC, bill 4 of this account
Statement       2025-07
Digest          0123456789ab…

  #  Item               Operation         Project             Used   Quantity   Unit price                   Amount USD

Request fees
  1  StandardQueryL0    SimpleQuery       photos   1,234,567 calls  1,234.567 ×      0.005 per 1,000 calls =   6.172835
      2 calls answered 4xx or 5xx: not billed

Data processing fees
  2  ImageDetect/faces  DetectImageFaces  photos       2,500 calls      2.5   ×      0.028 per 1,000 calls =   0.07
      1 call of failed tasks: not billed

Index storage fees
  3  IndexStorage                         photos                        1.25  ×      0     per GB-hour     =   0
      free until announced

Request fees of 2025-07-28 01:00 UTC (corrects bill 2025-07-28T01Z.acme)
  4  StandardQueryL0    SimpleQuery       photos      -1,000 calls     -1     ×      0.005 per 1,000 calls =  -0.005
      3 calls answered 4xx or 5xx (not billed): fewer than counted before
      gives back what was billed too much

   Request fees                                                                                                6.167835
   Data processing fees                                                                                        0.07
   Index storage fees                                                                                          0
   Total USD                                                                                                   6.237835
`)
})

// Guarantee: what the table says with = is so, to the last digit; ≈ is explained below its line.
test('where the quantity or the amount is rounded, the line says so, and has its formula below it', () => {
  const plainLine = {
    ...line,
    waived: '0',
    project: null,
    operation: 'Convert',
    component: 'processing',
  } as const
  const minutes = {
    ...plainLine,
    item: 'Video',
    unit: 'millisecond',
    pricingUnit: 'minute',
    unitPrice: '0.0084',
  }
  const pages = { ...plainLine, item: 'Print', unit: 'page', pricingUnit: '3 page', unitPrice: '0.07' }
  const stored = { ...plainLine, item: 'Disk', component: 'storage', operation: null } as const
  const shown = text({
    ...bill,
    lines: atPublicPrices([
      { ...minutes, number: 1, quantity: '613822', pricingQuantity: '10.230366666667', amount: '0.08593508' },
      { ...minutes, number: 2, quantity: '83250', pricingQuantity: '1.3875', amount: '0.011655' },
      { ...pages, number: 3, quantity: '2', pricingQuantity: '0.666666666667', amount: '0.046666666667' },
      { ...pages, number: 4, quantity: '1', pricingQuantity: '0.333333333333', unitPrice: '0', amount: '0' },
      {
        ...stored,
        number: 5,
        quantity: '1',
        unit: 'byte-millisecond',
        pricingQuantity: '0',
        pricingUnit: 'GB-hour',
        unitPrice: '0.00003',
        amount: '0',
      },
    ]),
  })
  expect(shown.slice(shown.indexOf('Data processing'), shown.indexOf('\n   Request')))
    .toBe(`Data processing fees
  1  Video  Convert    613,822 milliseconds  10.230366666667 ×    0.0084  per minute  ≈ 0.08593508
      613,822 milliseconds × 0.0084 / 60,000 = 0.08593508
  2  Video  Convert     83,250 milliseconds   1.3875         ×    0.0084  per minute  = 0.011655
  3  Print  Convert                 2 pages   0.666666666667 ×    0.07    per 3 pages ≈ 0.046666666667
      2 pages × 0.07 / 3 ≈ 0.046666666667 (more than 18 decimals: rounded to 12)
  4  Print  Convert                  1 page   0.333333333333 ×    0       per 3 pages = 0

Index storage fees
  5  Disk                                     0              ×    0.00003 per GB-hour ≈ 0
      1 byte-millisecond × 0.00003 / 3,600,000,000,000,000 ≈ 0 (more than 18 decimals: rounded to 12)
`)
})

test('without the price book, a bill still says all that it knows', () => {
  expect(text({ ...bill, lines: [line] })).toContain(
    '2 calls answered with a status that has no fee: not billed',
  )
})

test('marks come before the numbers', () => {
  const marked = text({ ...bill, demo: true, late: true, total: '-0.005' })
  expect(marked.match(/^(?:DEMO|Billed later|CREDIT|LATE): .*/gm)).toEqual([
    'DEMO: made with illustrative prices; nothing is owed.',
    'Billed later: this usage arrived after its hour had closed.',
    'CREDIT: more is given back than was used.',
  ])
})

test('verbose shows digests in full, and stored data in base units', () => {
  const verbose = text(bill, { verbose: true })
  expect(verbose).toContain(`Events digest   ${DIGEST}`)
  expect(verbose).toContain('Previous digest none: the first bill')
  expect(verbose).toContain('4,500,000,000,000,000 byte-milliseconds')
})

test('on a narrow terminal names stand above their formula, and nothing is cut', () => {
  const narrow = text(bill, { widthMax: 100 })
  expect(narrow.slice(narrow.indexOf('     ', narrow.indexOf('Digest') + 12)))
    .toBe(`                Used   Quantity   Unit price                   Amount USD

Request fees
  1  StandardQueryL0, SimpleQuery, photos
     1,234,567 calls  1,234.567 ×      0.005 per 1,000 calls =   6.172835
      2 calls answered with a status that has no fee: not billed

Data processing fees
  2  ImageDetect/faces, DetectImageFaces, photos
         2,500 calls      2.5   ×      0.028 per 1,000 calls =   0.07
      1 call of failed tasks: not billed

Index storage fees
  3  IndexStorage, photos
                          1.25  ×      0     per GB-hour     =   0

Request fees of 2025-07-28 01:00 UTC (corrects bill 2025-07-28T01Z.acme)
  4  StandardQueryL0, SimpleQuery, photos
        -1,000 calls     -1     ×      0.005 per 1,000 calls =  -0.005
      3 calls answered with a status that has no fee (not billed): fewer than counted before
      gives back what was billed too much

   Request fees                                                  6.167835
   Data processing fees                                          0.07
   Index storage fees                                            0
   Total USD                                                     6.237835
`)
  expect(text(bill, { widthMax: 200 })).toBe(text(bill))
})

test('foreign names cannot move the cursor or turn the direction of text', () => {
  const hostile = { ...line, project: '\u001b[2J\u202eevil' }
  const shown = text({ ...bill, account: 'a\nb', lines: [hostile] })
  expect(shown).toContain('\ufffd[2J\ufffdevil')
  expect(shown).toContain('a\ufffdb')
})

const TOTALS = ['Request fees', 'Data processing fees', 'Index storage fees'] as const
const SOLD: readonly (readonly [sold: readonly Component[], amounts: readonly string[], shown: string])[] = [
  [
    ['request', 'processing', 'storage'],
    ['0', '0', '0'],
    'Request fees, Data processing fees, Index storage fees',
  ],
  [['request'], ['1', '0', '0'], 'Request fees'],
  [['request', 'processing'], ['0', '2', '0'], 'Request fees, Data processing fees'],
  [['storage'], ['0', '0', '1'], 'Index storage fees'],
  // What was billed under an older book is shown all the same.
  [['request'], ['1', '0', '-0.5'], 'Request fees, Index storage fees'],
  [[], ['0', '0', '0'], ''],
]
for (const [sold, [request = '', processing = '', storage = ''], shown] of SOLD) {
  test(`a business with prices for ${sold.join(' and ') || 'nothing'} has no totals of other things`, () => {
    const own = { ...bill, components: { request, processing, storage }, lines: [] }
    const totals = text(own, { sold: soldOf(...sold) }).split('\n')
    expect(TOTALS.filter((title) => totals.some((one) => one.trim().startsWith(title))).join(', ')).toBe(
      shown,
    )
    expect(totals.some((one) => one.includes('Total USD'))).toBe(true)
  })
}

function soldOf(...components: readonly Component[]): SoldComponents {
  return new Map(components.map((component) => [component, undefined]))
}

test('a business that names the components reads its own names, above lines and in totals', () => {
  const named = componentsOf({ ...book, headings: new Map([['request', 'API 调用']]) })
  const shown = text({ ...bill, components: { ...bill.components, storage: '0' } }, { sold: named })
  expect(shown).toContain('\nAPI 调用\n  1  StandardQueryL0')
  expect(shown).toMatch(/\n {3}API 调用 +6\.167835/)
  expect(shown).toContain('\nIndex storage fees\n')
  expect(shown).not.toContain('Request fees')
})

const ZERO = { request: '0', processing: '0', storage: '0' }

test('a component with a line has its total, also when it comes to nothing', () => {
  const free = { ...line, component: 'storage', amount: '0' } as const
  expect(text({ ...bill, components: ZERO, lines: [free] }, { sold: soldOf() })).toMatch(
    / Index storage fees +0\n/,
  )
})
