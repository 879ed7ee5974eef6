import fc from 'fast-check'
import { expect, test } from 'vitest'
import { billHeadView, billView, lineView } from '../present/bill-view.ts'
import { canonicalJson, type Json } from '../text/canonical-json.ts'
import type { Hour } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'
import { COMPONENTS } from '../rate/price-book/price-book.ts'
import type { Bill, BillLine } from './bill.ts'
import { billId } from './bill-id.ts'
import { billText, eventText, lineText } from './digest-text.ts'

const anyHour = fc.integer({ min: 0, max: 70_000_000 }).map((hour) => hour as Hour)
const anyDecimal = fc.stringMatching(/^-?(?:0|[1-9]\d{0,20})(?:\.\d{0,11}[1-9])?$/)
const anyDigest = fc.stringMatching(/^[0-9a-f]{64}$/)
/** Wild names: quotes, backslashes, line ends, control characters, text from right to left, emoji. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((unit) => unit !== '\0'),
    fc.constantFrom('"', '\\', '\n', '\u007f', '\u2028', '\u200f', '🧾', '</script>', '{', '~'),
  ),
  minLength: 1,
})
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

const anyLine: fc.Arbitrary<BillLine> = fc.record({
  number: fc.integer({ min: 1 }),
  component: fc.constantFrom(...COMPONENTS),
  item: anyText,
  rate: anyText,
  operation: maybe(anyText),
  project: maybe(anyText),
  region: maybe(anyText),
  usageHour: anyHour,
  quantity: anyDecimal,
  unit: anyText,
  waived: anyDecimal,
  pricingQuantity: anyDecimal,
  pricingUnit: anyText,
  unitPrice: anyDecimal,
  listPrice: anyDecimal,
  priceList: maybe(anyText),
  tier: maybe(fc.integer({ min: 1 })),
  listTier: maybe(fc.integer({ min: 1 })),
  position: maybe(anyDecimal),
  stretchFrom: maybe(anyHour),
  amount: anyDecimal,
  corrects: maybe(fc.tuple(anyText, anyHour).map(([account, hour]) => billId(account, hour))),
  priceVersion: fc.integer({ min: 1 }),
})

const anyBill: fc.Arbitrary<Bill> = fc
  .record({
    account: anyText,
    hour: anyHour,
    issuedAt: fc.integer({ min: 0, max: 4e12 }).map((at) => at as Instant),
    currency: fc.constantFrom('USD', 'JPY'),
    demo: fc.boolean(),
    late: fc.boolean(),
    total: anyDecimal,
    components: fc.record({ request: anyDecimal, processing: anyDecimal, storage: anyDecimal }),
    sequence: fc.integer({ min: 1 }),
    statementMonth: fc.constantFrom('2025-07', '2025-12'),
    priceVersion: fc.integer({ min: 1 }),
    eventsDigest: anyDigest,
    linesDigest: anyDigest,
    previousDigest: maybe(anyDigest),
    digest: anyDigest,
    lines: fc.array(anyLine, { maxLength: 3 }),
  })
  .map((bill) => ({ ...bill, id: billId(bill.account, bill.hour) }))

// Guarantee: anyone who has a bill from the API can check its digests with any RFC 8785 library.
test('the digested text of a line is the RFC 8785 form of the line as it is shown, and a newline', () => {
  fc.assert(
    fc.property(fc.oneof(anyHour, fc.constant(7 as Hour)), anyLine, (own, line) => {
      expect(lineText(own, line)).toBe(`${canonicalJson(lineView(own, line) as unknown as Json)}\n`)
      expect(lineText(line.usageHour, line)).toContain('"correction":false')
    }),
  )
})

test('the digested text of a bill is the RFC 8785 form of the bill as it is shown, without lines and digest', () => {
  fc.assert(
    fc.property(anyBill, (bill) => {
      const { digest, lines, ...shown } = billView(bill)
      expect(billText(bill)).toBe(canonicalJson(shown as unknown as Json))
      expect(digest).toBe(bill.digest)
      expect(lines).toEqual(bill.lines.map((line) => lineView(bill.hour, line)))
      expect(billHeadView(bill)).toEqual({ ...shown, digest })
    }),
  )
})

test('amounts, quantities and prices are shown as texts, never as numbers', () => {
  fc.assert(
    fc.property(anyBill, (bill) => {
      const { lines, total, components } = billView(bill)
      const shown = [total, ...Object.values(components)]
      for (const { quantity, waived, pricingQuantity, unitPrice, amount } of lines) {
        shown.push(quantity, waived, pricingQuantity, unitPrice, amount)
      }
      expect(shown.every((value) => typeof value === 'string')).toBe(true)
    }),
  )
})

test('what an event adds to the digest: every field that says what was used, each with an end', () => {
  const event = {
    hour: 487035 as Hour,
    id: 'e-1',
    source: '/api',
    at: 1753327800000 as Instant,
    type: 'farthing.request',
    data: '{"status":200}',
    attributes: null,
  }
  const fields = ['event', 487035, 'e-1', '/api', 1753327800000, 'farthing.request', '{"status":200}', '']
  expect(eventText(event)).toBe(fields.map((field) => `${field}\0`).join(''))
  expect(eventText({ ...event, attributes: '{"a":1}' }).endsWith('\0{"a":1}\0')).toBe(true)
})

// Guarantee: events that differ in anything, or are in another order, never have the same digest.
test('the texts of different lists of events differ', () => {
  const anyEvent = fc.record({
    hour: fc.constantFrom(1 as Hour, 11 as Hour),
    id: fc.constantFrom('1', '11', 'event', '|'),
    source: fc.constantFrom('1', '11', 'event', '|'),
    at: fc.constantFrom(1 as Instant, 11 as Instant),
    type: fc.constantFrom('1', '11', 'event'),
    data: fc.constantFrom('{}', '{"a":"1"}'),
    attributes: fc.constantFrom(null, '{}'),
  })
  const anyList = fc.array(anyEvent, { maxLength: 2 })
  fc.assert(
    fc.property(anyList, anyList, (a, b) => {
      const [left, right] = [a, b].map((list) => list.map(eventText).join(''))
      expect(left === right).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
  )
})
