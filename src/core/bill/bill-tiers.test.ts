import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bookOf } from '../../../test/unit/oracle-book.ts'
import { usageEvent } from '../../../test/unit/oracle-event.ts'
import type { UsageEvent } from '../ingest/event.ts'
import { decimal, plain, plus, type Decimal, ZERO } from '../money/decimal.ts'
import { readPriceList } from '../rate/price-list/read-price-list.ts'
import { type AccountPrices, type ListAssignment, publicPrices } from '../rate/rating/account-prices.ts'
import type { StretchPosition } from '../rate/rating/priced-parts.ts'
import type { Json } from '../text/canonical-json.ts'
import { type Hour, parseHour } from '../time/hour.ts'
import { addEvent, emptyAccountHour, takeBack } from './account-hour.ts'
import type { BillLine } from './bill.ts'
import { draftBill } from './draft-bill.ts'

// Guarantee: what a month costs follows from what was used in it, by the tiers and lists of its hours. The order in which
// usage comes, is withdrawn or released decides which bill has which part of it, and never their sum.

/** Hours around the end of July. */
const MONTH_END = parseHour('2025-08-01T00Z')!
const HOURS = 8
const CYCLES = 12
const at = (hour: number) => new Date((MONTH_END + hour) * 3_600_000).toISOString()

const price = (hour: number, cost: { readonly [key: string]: Json }): Json => ({ from: at(hour), ...cost })
const steps = (...rows: readonly (readonly [string, string])[]): Json[] =>
  rows.map(([upTo, cost]) => (upTo === '' ? { price: cost } : { upTo, price: cost }))

const BOOK = bookOf({
  priceBook: 'tiers',
  currency: 'USD',
  items: {
    Calls: {
      component: 'request',
      rates: {
        default: {
          operations: ['Get', 'List'],
          unit: 'call',
          per: 1000,
          prices: [
            price(-1000, { tiers: steps(['5', '0'], ['12', '3'], ['', '2.5']) }),
            // It waits for the next month, whose first hour is later than some hours in which it is in force.
            price(-2, { tiers: steps(['3', '7'], ['', '1']) }),
          ],
        },
      },
    },
    Pages: {
      component: 'processing',
      rates: {
        default: {
          operations: ['Render'],
          unit: 'page',
          per: 1,
          prices: [
            price(-1000, { free: 'for now' }),
            price(-3, { tiers: steps(['2.5', '0'], ['6', '0.07'], ['', '0.05']) }),
            price(2, { price: '0.06' }),
          ],
        },
      },
    },
  },
})

function listOf(data: { readonly [key: string]: Json }) {
  const read = readPriceList(data, BOOK)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return [read.list.name, read.list] as const
}

const named = (item: string, ...prices: Json[]): Json => ({ [item]: { rates: { default: { prices } } } })
const LISTS = new Map([
  listOf({ priceList: 'off', discount: '0.3333' }),
  listOf({ priceList: 'same', discount: '0' }),
  listOf({
    priceList: 'own',
    discount: [{ from: at(-1), discount: '0.25' }],
    items: {
      ...(named(
        'Calls',
        price(-1000, { price: '2' }),
        price(1, { tiers: steps(['4', '1'], ['', '0.5']) }),
      ) as {
        [key: string]: Json
      }),
      ...(named('Pages', price(-1000, { price: '0.01', evenIfFree: true })) as { [key: string]: Json }),
    },
  }),
])

/** What happened: when it was used, with which bill it came, and with which one it was voided. */
interface Fact {
  readonly hour: number
  readonly operation: 'Get' | 'List' | 'Render'
  readonly status: number
  readonly project: string | null
  /** Thousandths of a page, or calls. */
  readonly amount: number
  readonly delay: number
  readonly voidedAfter: number | undefined
}

const anyFact: fc.Arbitrary<Fact> = fc.record({
  hour: fc.integer({ min: -HOURS / 2, max: HOURS / 2 - 1 }),
  operation: fc.constantFrom('Get', 'List', 'Render'),
  status: fc.constantFrom(200, 200, 503),
  project: fc.constantFrom(null, 'p'),
  amount: fc.integer({ min: 0, max: 9 }),
  delay: fc.constantFrom(0, 0, 1, 3, CYCLES),
  voidedAfter: fc.constantFrom(undefined, undefined, 0, 1, 4),
})
const anyFacts = fc.array(anyFact, { maxLength: 14 })

const anyAssigned: fc.Arbitrary<readonly ListAssignment[]> = fc
  .uniqueArray(
    fc.record({
      list: fc.constantFrom(null, 'off', 'same', 'own'),
      from: fc.integer({ min: -HOURS, max: HOURS }).map((hour) => (MONTH_END + hour) as Hour),
    }),
    { selector: ({ from }) => from, maxLength: 4 },
  )
  .map((assigned) => assigned.toSorted((a, b) => a.from - b.from))

/** For months of UTC, and of a zone whose August begins two hours earlier. */
const anyPrices: fc.Arbitrary<AccountPrices> = fc
  .tuple(anyAssigned, fc.constantFrom(0, -2))
  .map(([assigned, ahead]) => {
    const monthEnd = MONTH_END + ahead
    const { book } = publicPrices(BOOK)
    const monthStart = (hour: Hour) => (hour < monthEnd ? monthEnd - 31 * 24 : monthEnd) as Hour
    return { book, lists: LISTS, assigned, monthStart }
  })

interface Billed {
  readonly event: UsageEvent
  readonly cycle: number
  readonly voided: number | undefined
}

/** @param isInTime everything comes with the bill of its hour, and what is voided later never came */
function billed(facts: readonly Fact[], isInTime: boolean): Billed[] {
  return facts.flatMap((fact, index): Billed[] => {
    const { hour, delay, voidedAfter } = fact
    if (isInTime && voidedAfter !== undefined) return []
    const cycle = isInTime ? hour : hour + delay
    const event = eventOf(fact, String(index))
    return [{ event, cycle, voided: voidedAfter === undefined ? undefined : cycle + voidedAfter }]
  })
}

function eventOf({ hour, operation, status, project, amount }: Fact, id: string): UsageEvent {
  const time = at(hour)
  if (operation === 'Render') {
    const outcome = status === 200 ? 'succeeded' : 'failed'
    const quantities = { page: String(amount / 2) }
    const data = { operation, mode: 'async', outcome, quantities, project }
    return usageEvent({ subject: 'acme', type: 'farthing.processing', time, id }, data)
  }
  return usageEvent(
    { subject: 'acme', type: 'farthing.request', time, id },
    { operation, status, count: amount, project },
  )
}

/** The bills of all cycles, one after the other, each from where the one before has left the tiers. */
function linesOf(prices: AccountPrices, all: readonly Billed[]): BillLine[] {
  const positions = new Map<string, StretchPosition>()
  const lines: BillLine[] = []
  const cycles = new Set(
    all.flatMap(({ cycle, voided }) => (voided === undefined ? [cycle] : [cycle, voided])),
  )
  for (const cycle of [...cycles].sort((a, b) => a - b)) {
    const sums = emptyAccountHour()
    for (const { event, cycle: own, voided } of all) {
      if (own === cycle && voided !== cycle) addEvent(sums, BOOK, event)
      if (own !== cycle && voided === cycle) takeBack(sums, BOOK, event)
    }
    const hour = (MONTH_END + cycle) as Hour
    const context = { account: 'acme', hour, priceVersion: 1, prices, positions, isBilled: () => false }
    const draft = draftBill(context, sums.tally)
    for (const [name, moved] of draft?.positions ?? []) positions.set(name, moved)
    lines.push(...(draft?.lines ?? []))
  }
  return lines
}

/** Quantities, waived quantities and amounts by rate and stretch; by rate and hour where nothing has tiers. */
function sumsOf(lines: readonly BillLine[]): Readonly<Record<string, string>> {
  const sums = new Map<string, Decimal>()
  for (const line of lines) {
    const { item, stretchFrom, usageHour } = line
    const place = `${item} from ${stretchFrom ?? `hour ${usageHour}`}`
    for (const what of ['quantity', 'waived', 'amount'] as const) {
      const name = `${place}: ${what}`
      sums.set(name, plus(sums.get(name) ?? ZERO, decimal(line[what])))
    }
  }
  const texts = [...sums].map(([name, sum]) => [name, plain(sum)] as const).filter(([, sum]) => sum !== '0')
  return Object.fromEntries(texts)
}

test('late, withdrawn or in time: each stretch of a month comes to the same', () => {
  fc.assert(
    fc.property(anyPrices, anyFacts, (prices, facts) => {
      const inTime = sumsOf(linesOf(prices, billed(facts, true)))
      expect(sumsOf(linesOf(prices, billed(facts, false)))).toEqual(inTime)
    }),
    { numRuns: 400 },
  )
})

test('split into more events of the same bill, it is the same bill; of any bills, the same month', () => {
  const anyCuts = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 4 })), {
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(anyPrices, anyFacts, anyCuts, (prices, facts, cuts) => {
      const split = (delays: boolean) =>
        facts.flatMap((fact, index): Fact[] => {
          const [cut, delay] = cuts[index % cuts.length]!
          const first = cut % (fact.amount + 1)
          const later = delays ? fact.delay + delay : fact.delay
          return [
            { ...fact, amount: first },
            { ...fact, amount: fact.amount - first, delay: later },
          ]
        })
      const whole = linesOf(prices, billed(facts, false))
      expect(linesOf(prices, billed(split(false), false))).toEqual(whole)
      expect(sumsOf(linesOf(prices, billed(split(true), false)))).toEqual(sumsOf(whole))
    }),
    { numRuns: 200 },
  )
})

test('each position is the one before plus its quantity, and no quantity lies in two tiers', () => {
  fc.assert(
    fc.property(anyPrices, anyFacts, (prices, facts) => {
      const touched = new Map<string, Decimal>()
      for (const line of inCountedOrder(linesOf(prices, billed(facts, false)))) {
        if (line.stretchFrom === null) continue
        const name = `${line.item} ${line.stretchFrom}`
        expect(line.position).toBe(plain(touched.get(name) ?? ZERO))
        touched.set(name, plus(decimal(line.position!), decimal(line.quantity)))
      }
    }),
    { numRuns: 200 },
  )
})

/** In bills of one month no hour is older than the bill's, so lines of a key that gives back are the only ones to turn. */
function inCountedOrder(lines: readonly BillLine[]): BillLine[] {
  const counted: BillLine[] = []
  const bills: BillLine[][] = []
  for (const line of lines) {
    if (line.number === 1) bills.push([])
    bills.at(-1)!.push(line)
  }
  for (const bill of bills) {
    const down = (line: BillLine) => (line.quantity.startsWith('-') ? -line.number : line.number)
    const key = (line: BillLine) => bill.findIndex((other) => keyText(other) === keyText(line))
    counted.push(
      ...bill.toSorted((a, b) => a.usageHour - b.usageHour || key(a) - key(b) || down(a) - down(b)),
    )
  }
  return counted
}

function keyText({ item, operation, project, usageHour }: BillLine): string {
  return JSON.stringify([item, operation, project, usageHour])
}

test('a discount of 0 is the public price to the byte', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const prices = publicPrices(BOOK)
      const same = { ...prices, lists: LISTS, assigned: [{ list: 'same', from: 0 as Hour }] }
      const publicly = linesOf(prices, billed(facts, false))
      expect(linesOf(same, billed(facts, false))).toEqual(
        publicly.map((line) => ({ ...line, priceList: 'same' })),
      )
    }),
  )
})
