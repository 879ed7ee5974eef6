import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BOOK } from '../../../test/unit/oracle-book.ts'
import { table } from '../../../test/table.ts'
import { decimal } from '../money/decimal.ts'
import { publicPrices } from '../rate/rating/account-prices.ts'
import type { Charge } from '../rate/rating/assess.ts'
import { termInForce } from '../rate/price-book/price-book.ts'
import { type Hour, next, parseHour } from '../time/hour.ts'
import { type DraftContext, draftBill, emptyDraft, totalsOf } from './draft-bill.ts'
import { addCharge, addCharged, addStored, type Tally } from './tally.ts'

const OWN = parseHour('2025-07-28T12Z')!
const PAID = { prices: publicPrices(BOOK), positions: new Map() }
const CONTEXT: DraftContext = { account: 'acme', hour: OWN, priceVersion: 7, isBilled: () => false, ...PAID }

interface Usage {
  readonly hour: Hour
  readonly item: string
  readonly rate: string
  readonly operation?: string | null
  readonly project?: string | null
  readonly region?: string | null
  readonly quantity?: string
  readonly waived?: string
}

function add(tally: Tally, usage: Usage): void {
  const rate = BOOK.rates.find(({ item, rate: name }) => item === usage.item && name === usage.rate)!
  const { operation = null, project = null, region = null, quantity = '0', waived = '0' } = usage
  const charge = {
    rate,
    term: termInForce(rate, usage.hour) as Charge['term'],
    operation,
    project,
    region,
    quantity: decimal(quantity),
    waived: decimal(waived),
  }
  addCharge(tally, usage.hour, charge)
}

function draftOf(usage: readonly Usage[], context: DraftContext = CONTEXT) {
  const tally: Tally = new Map()
  for (const one of usage) add(tally, one)
  return draftBill(context, tally)
}

const ORDER = table<'hour' | 'item' | 'rate' | 'operation' | 'project' | 'region' | 'because'>(`
  hour | item            | rate    | operation        | project | region | because
  12   | SemanticUnderstanding | default | SemanticQuery |      |        | the own hour first, requests before all
  12   | StandardQueryL0 | default | SimpleQuery      |         |        | items by bytes: the project "none" first
  12   | StandardQueryL0 | default | SimpleQuery      |         | eu     | then regions
  12   | StandardQueryL0 | default | SimpleQuery      | Z       |        | capital letters before small ones
  12   | StandardQueryL0 | default | SimpleQuery      | a       | eu     |
  12   | StandardQueryL0 | default | SimpleQuery      | a       | us     |
  12   | StandardQueryL0 | default | SimpleQuery      | é       |        | by bytes: after a to z
  12   | StandardQueryL0 | default | SimpleQuery      | Ａ      |        | by bytes: U+FF21
  12   | StandardQueryL0 | default | SimpleQuery      | 🧾      |        | and then U+1F9FE, which UTF-16 puts before
  12   | ImageDetect     | bodies  | DetectImageBodies |        |        | processing after requests, though I is before S
  12   | ImageDetect     | faces   | CompareImageFaces | z      |        | rates by name, then operations
  12   | ImageDetect     | faces   | DetectImageFaces |         |        |
  12   | IndexStorage    | default |                  |         |        | storage last
  10   | StandardQueryL0 | default | SimpleQuery      |         |        | then the older hours, ascending
  11   | StandardQueryL0 | default | SimpleQuery      |         |        |
  11   | IndexStorage    | default |                  |         |        |
`)

const ORDERED: readonly Usage[] = ORDER.map((row) => ({
  hour: parseHour(`2025-07-28T${row.hour}Z`)!,
  item: row.item,
  rate: row.rate,
  operation: row.operation || null,
  project: row.project || null,
  region: row.region || null,
  quantity: '1',
}))

// Guarantee: a bill has one order, whatever the order of its events (ARCHITECTURE.md).
test('lines are in the order of the bill, numbered from 1', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...ORDERED], { minLength: ORDERED.length }), (usage) => {
      const lines = draftOf(usage)!.lines
      const shown = lines.map(({ usageHour: hour, item, rate, operation, project, region }) => {
        return { hour, item, rate, operation, project, region, quantity: '1' }
      })
      expect(shown).toEqual(ORDERED)
      expect(lines.map(({ number }) => number)).toEqual(ORDERED.map((_, index) => index + 1))
    }),
  )
})

test('a line says everything that its formula needs', () => {
  const usage = { hour: OWN, item: 'ImageDetect', rate: 'faces', operation: 'DetectImageFaces', project: 'p' }
  const draft = draftOf([
    { ...usage, quantity: '1500' },
    { ...usage, quantity: '1', waived: '0' },
    { ...usage, waived: '3' },
  ])
  expect(draft).toEqual({
    lines: [
      {
        number: 1,
        component: 'processing',
        item: 'ImageDetect',
        rate: 'faces',
        operation: 'DetectImageFaces',
        project: 'p',
        region: null,
        usageHour: OWN,
        quantity: '1501',
        unit: 'call',
        waived: '3',
        pricingQuantity: '1.501',
        pricingUnit: '1000 call',
        unitPrice: '0.028',
        listPrice: '0.028',
        priceList: null,
        tier: null,
        listTier: null,
        position: null,
        stretchFrom: null,
        amount: '0.042028',
        corrects: null,
        priceVersion: 7,
      },
    ],
    positions: new Map(),
    total: '0.042028',
    components: { request: '0', processing: '0.042028', storage: '0' },
  })
})

test('no usage, no line; no lines, no bill (R1)', () => {
  const usage = { hour: OWN, item: 'ImageDetect', rate: 'faces', operation: 'DetectImageFaces' }
  expect(draftOf([])).toBeUndefined()
  expect(draftOf([{ ...usage, quantity: '0' }])).toBeUndefined()
  expect(
    draftOf([
      { ...usage, quantity: '5' },
      { ...usage, quantity: '-5' },
    ]),
  ).toBeUndefined()
  expect(draftOf([{ ...usage, waived: '1' }])!.lines).toMatchObject([
    { quantity: '0', waived: '1', amount: '0' },
  ])
  const kept = draftOf([
    { ...usage, project: 'a' },
    { ...usage, project: 'b', quantity: '1' },
  ])!
  expect(kept.lines).toMatchObject([{ number: 1, project: 'b' }])
})

test('a correction names the bill that it corrects, at the price of its own hour', () => {
  const [before, after] = ['2025-07-28T02Z', '2025-07-28T03Z'].map((text) => parseHour(text)!)
  const usage = { item: 'ImageDetect', rate: 'bodies', operation: 'DetectImageBodies', quantity: '1000' }
  const context = { ...CONTEXT, isBilled: (hour: Hour) => hour !== after }
  const draft = draftOf(
    [
      { ...usage, hour: OWN },
      { ...usage, hour: before! },
      { ...usage, hour: after!, quantity: '-1000' },
    ],
    context,
  )!
  expect(draft.lines).toMatchObject([
    { usageHour: OWN, corrects: null, unitPrice: '0.028', amount: '0.028' },
    { usageHour: before, corrects: '2025-07-28T02Z.acme', unitPrice: '0', amount: '0' },
    { usageHour: after, corrects: null, unitPrice: '0.028', quantity: '-1000', amount: '-0.028' },
  ])
  expect(draft.total).toBe('0')
})

test('stored data is a line under every storage rate in force, free or not (R10)', () => {
  const tally: Tally = new Map()
  const stored = { project: 'p', region: null, quantity: decimal('3600000000000000') }
  const terms = { '2025-07-28T02Z': '0', '2025-07-28T03Z': '0.0000315' }
  for (const text of Object.keys(terms)) addStored(tally, BOOK, parseHour(text)!, stored)
  expect(draftBill(CONTEXT, tally)!.lines).toMatchObject(
    Object.values(terms).map((unitPrice) => ({
      component: 'storage',
      operation: null,
      unit: 'byte-millisecond',
      pricingUnit: 'GB-hour',
      pricingQuantity: '1',
      unitPrice,
      amount: unitPrice,
    })),
  )
})

test('stored data is charged under every rate of an item, each on its own line', () => {
  const rate = BOOK.rates.find(({ component }) => component === 'storage')!
  const tally: Tally = new Map()
  const rates = [rate, { ...rate, rate: 'replica' }]
  addStored(tally, { ...BOOK, rates }, OWN, { project: null, region: null, quantity: decimal('1') })
  expect(draftBill(CONTEXT, tally)!.lines.map((line) => `${line.rate} ${line.quantity}`)).toEqual([
    'default 1',
    'replica 1',
  ])
})

test('stored data of unknown price, or of an hour before the first price, has no line yet', () => {
  const rate = BOOK.rates.find(({ component }) => component === 'storage')!
  const stored = { project: null, region: null, quantity: decimal('1') }
  for (const term of [
    { from: OWN, kind: 'unknown' as const },
    { ...rate.terms[0]!, from: next(OWN) },
  ]) {
    const tally: Tally = new Map()
    addStored(tally, { ...BOOK, rates: [{ ...rate, terms: [term] }] }, OWN, stored)
    expect(tally.size).toBe(0)
  }
})

test('storage that was charged already is taken off: the line carries the difference', () => {
  const usageHour = parseHour('2025-07-28T10Z')!
  const place = { project: 'p', region: null }
  const [was, is] = [decimal('3600000000000000'), decimal('4500000000000000')]
  const charged = { ...place, usageHour, item: 'IndexStorage', rate: 'default', quantity: was }
  const restated: Tally = new Map()
  addCharged(restated, BOOK, charged)
  addStored(restated, BOOK, usageHour, { ...place, quantity: is })
  const context = { ...CONTEXT, isBilled: () => true }
  expect(draftBill(context, restated)!.lines).toMatchObject([
    {
      quantity: '900000000000000',
      pricingQuantity: '0.25',
      amount: '0.000007875',
      corrects: '2025-07-28T10Z.acme',
    },
  ])
  const unchanged: Tally = new Map()
  addStored(unchanged, BOOK, usageHour, { ...place, quantity: was })
  addCharged(unchanged, BOOK, charged)
  expect(draftBill(context, unchanged)).toBeUndefined()
  const gone: Tally = new Map()
  addCharged(gone, BOOK, charged)
  expect(draftBill(context, gone)!.total).toBe('-0.0000315')
  expect(() => addCharged(gone, BOOK, { ...charged, item: 'Novel' })).toThrow(/was charged, so it is listed/)
})

test('keys are not glued together: names next to each other never make one line of two', () => {
  const usage = {
    hour: OWN,
    item: 'StandardQueryL0',
    rate: 'default',
    operation: 'SimpleQuery',
    quantity: '1',
  }
  const lines = draftOf([
    { ...usage, project: 'ab', region: 'c' },
    { ...usage, project: 'a', region: 'bc' },
    { ...usage, project: 'abc', region: null },
    { ...usage, project: null, region: 'abc' },
  ])!.lines
  expect(lines.length).toBe(4)
})

test('totals are the sums of the amounts, by component and in all', () => {
  const amounts = [
    { component: 'request', amount: '0.1' },
    { component: 'request', amount: '0.2' },
    { component: 'storage', amount: '-0.000000000000000001' },
  ] as const
  expect(totalsOf(amounts)).toEqual({
    total: '0.299999999999999999',
    components: { request: '0.3', processing: '0', storage: '-0.000000000000000001' },
  })
  expect(emptyDraft()).toEqual({
    lines: [],
    positions: new Map(),
    total: '0',
    components: { request: '0', processing: '0', storage: '0' },
  })
})
