import { Decimal as Oracle } from 'decimal.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BOOK } from '../../../test/unit/oracle-book.ts'
import { sha256, usageEvent } from '../../../test/unit/oracle-event.ts'
import type { UsageEvent } from '../ingest/event.ts'
import { standingOf } from '../ingest/standing.ts'
import type { Json } from '../text/canonical-json.ts'
import type { Bill, BillLine } from './bill.ts'
import { billsOnPaper } from './bills-on-paper.ts'

// An independent implementation with room for every digit (its default would round to 20).
const Exact = Oracle.clone({ precision: 1000, toExpNeg: -9e15, toExpPos: 9e15 })

/** What happened, without an id: the same can be told by one event or by several. */
interface Fact {
  readonly account: string
  readonly type: 'farthing.request' | 'farthing.processing' | 'farthing.storage'
  readonly time: string
  readonly data: { readonly [field: string]: Json }
  /** How much, of everything that the fact counts. */
  readonly amount: bigint
}

const anyAccount = fc.constantFrom('acme', 'zeta')
/** Around the price change of 2025-07-28T03Z, often at the ends of hours. */
const anyTime = fc
  .oneof(
    fc.integer({ min: -3 * 3_600_000, max: 3 * 3_600_000 }),
    fc.constantFrom(-3_600_000, -1, 0, 3_599_999),
  )
  .map((offset) => new Date(Date.UTC(2025, 6, 28, 3) + offset).toISOString())
const anyPlace = fc.record({ project: fc.constantFrom(null, 'p', 'q'), region: fc.constantFrom(null, 'eu') })
const anyAmount = fc.oneof(fc.bigInt(0n, 20n), fc.bigInt(0n, 10n ** 25n))

const anyRequest: fc.Arbitrary<Fact> = fc.record({
  account: anyAccount,
  type: fc.constant('farthing.request' as const),
  time: anyTime,
  amount: anyAmount,
  data: fc
    .tuple(
      anyPlace,
      fc.constantFrom('SimpleQuery', 'SemanticQuery', 'GetProject', 'Novel'),
      fc.constantFrom(200, 404, 503),
    )
    .map(([place, operation, status]) => ({ ...place, operation, status })),
})

const anyProcessing: fc.Arbitrary<Fact> = fc.record({
  account: anyAccount,
  type: fc.constant('farthing.processing' as const),
  time: anyTime,
  amount: anyAmount,
  data: fc
    .tuple(
      anyPlace,
      fc.constantFrom(
        'DetectImageFaces',
        'DetectImageBodies',
        'CreateHighlightTask',
        'RenderPage',
        'DetectImageScore',
      ),
      fc.constantFrom('succeeded', 'failed'),
    )
    .map(([place, operation, outcome]) => ({ ...place, operation, outcome, mode: 'async' })),
})

const anyUsage = fc.array(fc.oneof(anyRequest, anyProcessing), { maxLength: 12 })

const anyLevel: fc.Arbitrary<Fact> = fc.record({
  account: anyAccount,
  type: fc.constant('farthing.storage' as const),
  time: anyTime,
  amount: fc.bigInt(0n, 10n ** 14n),
  data: fc.tuple(anyPlace, fc.constantFrom(null, 'd')).map(([place, dataset]) => ({ ...place, dataset })),
})

const anyLevels = fc.array(anyLevel, { maxLength: 5 })

function eventOf({ account, type, time, data, amount }: Fact, id: string): UsageEvent {
  const text = String(amount)
  const quantities = { call: text, millisecond: text, page: text }
  const used = {
    'farthing.request': { count: text },
    'farthing.processing': { quantities },
    'farthing.storage': { bytes: text },
  }[type]
  return usageEvent({ subject: account, type, time, id }, { ...data, ...used })
}

function billsOf(events: readonly UsageEvent[]): Bill[] {
  return billsOnPaper(BOOK, events, { priceVersion: 1, demo: false, sha256 })
}

/** Everything that is charged, without the proof of which events it came from. */
function chargedIn(bills: readonly Bill[]) {
  return bills.map(({ id, sequence, total, components, linesDigest, lines }) => {
    return { id, sequence, total, components, linesDigest, lines }
  })
}

/** The same usage told in more events: each cut in two. */
function split(facts: readonly Fact[], cuts: readonly bigint[]): UsageEvent[] {
  return facts.flatMap((fact, index) => {
    const cut = cuts[index % cuts.length]! % (fact.amount + 1n)
    return [
      eventOf({ ...fact, amount: cut }, `${index}a`),
      eventOf({ ...fact, amount: fact.amount - cut }, `${index}b`),
    ]
  })
}

const eventsOf = (facts: readonly Fact[]) => facts.map((fact, index) => eventOf(fact, String(index)))

// Guarantee: how usage is cut into events, by the sender or by us, never changes what it costs.
test('splitting usage into more events never changes a bill', () => {
  const anyCuts = fc.array(fc.bigInt(0n, 10n ** 25n), { minLength: 1 })
  fc.assert(
    fc.property(anyUsage, anyLevels, anyCuts, (usage, levels, cuts) => {
      const stored = eventsOf(levels)
      const whole = billsOf([...eventsOf(usage), ...stored])
      expect(chargedIn(billsOf([...split(usage, cuts), ...stored]))).toEqual(chargedIn(whole))
    }),
  )
})

// Guarantee: not a byte of a bill, its digests included, depends on the order of arrival or on retries.
test('reordering and repeating events never changes a bill', () => {
  const anyOrder = fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 })
  fc.assert(
    fc.property(anyUsage, anyLevels, anyOrder, (usage, levels, order) => {
      const once = eventsOf([...usage, ...levels])
      const again = [...once, ...once].sort((a, b) => order[+a.id]! - order[+b.id]!).reverse()
      const standing = standingOf(again)
      const counted = again.filter((_, index) => standing[index] === 'stands')
      expect(billsOf(counted)).toEqual(billsOf(once))
    }),
  )
})

// Guarantee: what an account pays does not depend on who else there is.
test('accounts never change the bills of each other', () => {
  fc.assert(
    fc.property(anyUsage, anyLevels, (usage, levels) => {
      const events = eventsOf([...usage, ...levels])
      const alone = ['acme', 'zeta'].flatMap((account) =>
        billsOf(events.filter((event) => event.account === account)),
      )
      expect(billsOf(events)).toEqual(alone)
    }),
  )
})

// Guarantee: the formula on every line holds (README). Checked with another implementation of decimals.
test('used x price / per = amount on every line, and totals are the sums', () => {
  fc.assert(
    fc.property(anyUsage, anyLevels, (usage, levels) => {
      for (const bill of billsOf(eventsOf([...usage, ...levels]))) {
        for (const line of bill.lines) expect(formulaOf(line)).toEqual(line)
        const sum = (lines: readonly BillLine[]) =>
          lines.reduce((total, { amount }) => total.plus(amount), new Exact(0)).toString()
        expect(bill.total).toBe(sum(bill.lines))
        for (const [component, total] of Object.entries(bill.components)) {
          expect(total).toBe(sum(bill.lines.filter((line) => line.component === component)))
        }
      }
    }),
  )
})

const PER: Readonly<Record<string, string>> = {
  '1000 call': '1000',
  minute: '60000',
  '3 page': '3',
  'GB-hour': '3600000000000000',
}

/** The line with its pricing quantity and amount computed again from what it shows. */
function formulaOf(line: BillLine): BillLine {
  const per = PER[line.pricingUnit]!
  const pricingQuantity = new Exact(line.quantity).div(per).toDecimalPlaces(12, Oracle.ROUND_HALF_EVEN)
  const amount = new Exact(line.quantity).times(line.unitPrice).div(per)
  // A quotient that never ends has some 1,000 digits here.
  const shown = amount.decimalPlaces() <= 18 ? amount : amount.toDecimalPlaces(12, Oracle.ROUND_HALF_EVEN)
  return { ...line, pricingQuantity: pricingQuantity.toString(), amount: shown.toString() }
}

// Guarantee: nothing is dropped, and nothing is charged twice.
test('every unit of usage with a price is on exactly one line per item', () => {
  fc.assert(
    fc.property(anyUsage, (usage) => {
      const lines = billsOf(eventsOf(usage)).flatMap((bill) => bill.lines)
      const told = (...operations: string[]) =>
        usage
          .filter(({ data }) => operations.includes(data['operation'] as string))
          .reduce((sum, { amount }) => sum + amount, 0n)
      const billed = (item: string) =>
        lines
          .filter((line) => line.item === item)
          .reduce((sum, { quantity, waived }) => sum + BigInt(quantity) + BigInt(waived), 0n)
      expect(billed('StandardQueryL0')).toBe(told('SimpleQuery'))
      expect(billed('SemanticUnderstanding')).toBe(told('SemanticQuery'))
      expect(billed('StandardQueryL1')).toBe(told('SemanticQuery'))
      expect(billed('ImageDetect')).toBe(told('DetectImageFaces', 'DetectImageBodies'))
      expect(billed('MediaConvert')).toBe(told('CreateHighlightTask'))
      expect(lines.some(({ operation }) => operation === 'GetProject' || operation === 'Novel')).toBe(false)
    }),
  )
})
