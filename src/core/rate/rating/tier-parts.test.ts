import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../../test/table.ts'
import { type Decimal, decimal, minus, plain, plus, sum, times, ZERO } from '../../money/decimal.ts'
import { FIRST_HOUR } from '../price-book/compare/timeline.ts'
import type { Tier } from '../price-book/price-book.ts'
import type { FlatTerm, KnownTerm } from './assess.ts'
import { unitPriceOf } from './price.ts'
import { type CutTerms, tierParts } from './tier-parts.ts'

function tiersOf(...steps: readonly (readonly [upTo: string | null, price: string])[]): KnownTerm {
  const tiers = steps.map(([upTo, price]): Tier => {
    return { kind: 'price', upTo: upTo === null ? undefined : decimal(upTo), unitPrice: decimal(price) }
  })
  return { from: FIRST_HOUR, kind: 'tiers', tiers, illustrative: false }
}

const FLAT: FlatTerm = { from: FIRST_HOUR, kind: 'price', unitPrice: decimal('7'), illustrative: false }
const TIERS = tiersOf(['10', '0'], ['20', '3'], [null, '2'])
const TIERED: CutTerms = { term: TIERS, listTerm: TIERS }

function shown(terms: CutTerms, position: string, quantity: string): string {
  return tierParts(terms, decimal(position), decimal(quantity))
    .map((part) => {
      const tiers = [part.tier, part.listTier].map((tier) => tier ?? '-').join('/')
      return `${plain(part.position)}:${plain(part.quantity)}@${plain(unitPriceOf(part.cost))}(${tiers})`
    })
    .join(' ')
}

for (const { position, quantity, parts, because } of table<'position' | 'quantity' | 'parts' | 'because'>(`
  position | quantity | parts                                              | because
  0        | 4        | 0:4@0(1/1)                                         | within the first tier
  0        | 10       | 0:10@0(1/1)                                        | a tier includes its upTo
  10       | 1        | 10:1@3(2/2)                                        | the unit after it is in the next one
  0        | 25       | 0:10@0(1/1) 10:10@3(2/2) 20:5@2(3/3)               | over two steps
  9.5      | 1        | 9.5:0.5@0(1/1) 10:0.5@3(2/2)                       | a unit that lies in two tiers is divided
  20       | -10      | 20:-10@3(2/2)                                      | what gives back goes down from the position
  10       | -4       | 10:-4@0(1/1)                                       | the last unit below 10 was in the first tier
  25       | -20      | 25:-5@2(3/3) 20:-10@3(2/2) 10:-5@0(1/1)            | down over two steps
  0        | 0        | 0:0@0(1/1)                                         | nothing is one part
  10       | 0        | 10:0@3(2/2)                                        | nothing, in the tier of the next unit
  0        | 1000     | 0:10@0(1/1) 10:10@3(2/2) 20:980@2(3/3)             | the last tier never ends
`)) {
  test(`from ${position}, ${quantity}: ${because}`, () => {
    expect(shown(TIERED, position, quantity)).toBe(parts)
  })
}

test('a flat price beside public tiers is cut at their steps, and tiers beside a flat public price are not', () => {
  expect(shown({ term: FLAT, listTerm: TIERS }, '8', '4')).toBe('8:2@7(-/1) 10:2@7(-/2)')
  expect(shown({ term: TIERS, listTerm: FLAT }, '8', '4')).toBe('8:2@0(1/-) 10:2@3(2/-)')
  const others = tiersOf(['9', '1'], [null, '2'])
  expect(shown({ term: TIERS, listTerm: others }, '8', '4')).toBe('8:1@0(1/1) 9:1@0(1/2) 10:2@3(2/2)')
})

/** Thousandths, so that the oracle is whole numbers: it shares no arithmetic with the code. */
const anyAmount = fc.integer({ min: 0, max: 60_000 })
const anySteps = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 5 }),
    fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 6, maxLength: 6 }),
  )
  .map(([ends, prices]) => {
    const sorted = ends.toSorted((a, b) => a - b)
    return { ends: sorted, prices }
  })
type Steps = typeof anySteps extends fc.Arbitrary<infer Value> ? Value : never

function thousandths(value: number): string {
  return plain(times(decimal(String(value)), decimal('0.001')))
}

function termOf({ ends, prices }: Steps): KnownTerm {
  const steps = [...ends.map(thousandths), null].map((upTo, at) => [upTo, String(prices[at])] as const)
  return tiersOf(...steps)
}

/** The cost of the first n thousandths, in thousandths: one at a time would take too long, so tier by tier. */
function costOf({ ends, prices }: Steps, n: number): number {
  return [...ends, Infinity].reduce((cost, end, at) => {
    const below = at === 0 ? 0 : ends[at - 1]!
    return cost + Math.max(0, Math.min(n, end) - below) * prices[at]!
  }, 0)
}

function amountOf(terms: CutTerms, position: Decimal, quantity: Decimal): Decimal {
  return sum(tierParts(terms, position, quantity).map((part) => times(part.quantity, unitPriceOf(part.cost))))
}

test('all parts together cost F(position + quantity) - F(position), up and down', () => {
  fc.assert(
    fc.property(anySteps, anySteps, anyAmount, anyAmount, (steps, publicSteps, from, to) => {
      const terms = { term: termOf(steps), listTerm: termOf(publicSteps) }
      const [position, end] = [decimal(thousandths(from)), decimal(thousandths(to))]
      const quantity = minus(end, position)
      expect(plain(amountOf(terms, position, quantity))).toBe(
        thousandths(costOf(steps, to) - costOf(steps, from)),
      )
      const listed = tierParts(terms, position, quantity)
      const listAmount = sum(listed.map((part) => times(part.quantity, unitPriceOf(part.listCost))))
      expect(plain(listAmount)).toBe(thousandths(costOf(publicSteps, to) - costOf(publicSteps, from)))
      expect(plain(sum(listed.map((part) => part.quantity)))).toBe(plain(quantity))
    }),
  )
})

test('however usage is split and in which order it comes, it costs the same, and giving it back costs nothing', () => {
  const anyParts = fc.array(anyAmount, { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(anySteps, anyParts, fc.infiniteStream(fc.integer()), (steps, parts, ranks) => {
      const term = termOf(steps)
      const terms = { term, listTerm: term }
      const run = (quantities: readonly Decimal[]) => {
        let [position, amount] = [ZERO, ZERO]
        for (const quantity of quantities) {
          amount = plus(amount, amountOf(terms, position, quantity))
          position = plus(position, quantity)
        }
        return plain(amount)
      }
      const quantities = parts.map((part) => decimal(thousandths(part)))
      const shuffled = quantities
        .map((quantity) => ({ quantity, rank: ranks.next().value as number }))
        .toSorted((a, b) => a.rank - b.rank)
        .map(({ quantity }) => quantity)
      const whole = run([sum(quantities)])
      expect(run(quantities)).toBe(whole)
      expect(run(shuffled)).toBe(whole)
      expect(run([...quantities, ...shuffled.map((one) => minus(ZERO, one))])).toBe('0')
    }),
  )
})
