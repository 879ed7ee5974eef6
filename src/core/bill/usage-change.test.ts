import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimal, plain, sum } from '../money/decimal.ts'
import { changeOf, type ChangeParts, correctionsOf, type PeriodUsage } from './usage-change.ts'

const period = ([quantity, amount]: readonly [string, string]): PeriodUsage => ({
  quantity: decimal(quantity),
  amount: decimal(amount),
})

const shown = (parts: ChangeParts) =>
  Object.entries(parts).flatMap(([name, part]) => (plain(part) === '0' ? [] : [`${name} ${plain(part)}`]))

const NOTHING = ['0', '0'] as const

interface Case {
  readonly before: readonly [string, string]
  readonly after: readonly [string, string]
  readonly parts: readonly string[]
}

const CASES: Readonly<Record<string, Case>> = {
  'more was used': { before: ['10', '5'], after: ['14', '7'], parts: ['used 2'] },
  'the price has risen': { before: ['10', '5'], after: ['10', '6'], parts: ['price 1'] },
  'more, at a lower price': { before: ['10', '5'], after: ['20', '8'], parts: ['used 5', 'price -2'] },
  'less, at a price that never ends': {
    before: ['3', '1'],
    after: ['2', '1'],
    parts: ['used -0.333333333333', 'price 0.333333333333'],
  },
  'exactly between two twelfth decimals: to the even one': {
    before: ['2', '0.000000000001'],
    after: ['3', '0.000000000003'],
    parts: ['price 0.000000000002'],
  },
  'it is new': { before: NOTHING, after: ['4', '2'], parts: ['new 2'] },
  'it is gone': { before: ['4', '2'], after: NOTHING, parts: ['gone -2'] },
  'it was free': { before: ['4', '0'], after: ['6', '3'], parts: ['price 3'] },
  'it was charged for nothing': { before: ['0', '2'], after: ['6', '3'], parts: ['price 1'] },
  'given back in both': { before: ['-2', '-1'], after: ['-4', '-2'], parts: ['used -1'] },
  'nothing in both': { before: NOTHING, after: NOTHING, parts: [] },
}

describe('why an amount has changed', () => {
  test.each(Object.entries(CASES))('%s', (_, { before, after, parts }) =>
    expect(shown(changeOf(period(before), period(after)))).toEqual(parts),
  )

  test('corrections are a part of their own', () => {
    expect(shown(correctionsOf(period(['2', '1']), period(['-3', '-0.5'])))).toEqual(['corrections -1.5'])
  })

  test('its parts sum to the difference exactly, whatever the quantities and amounts', () => {
    const digits = (max: bigint) => fc.bigInt({ min: -max, max })
    const decimals = (max: bigint, places: number) =>
      digits(max).map((value) => {
        const text = String(value < 0n ? -value : value).padStart(places + 1, '0')
        return `${value < 0n ? '-' : ''}${text.slice(0, -places)}.${text.slice(-places)}`
      })
    const used = fc.tuple(
      fc.oneof(fc.constant('0'), decimals(10n ** 30n, 6)),
      fc.oneof(fc.constant('0'), decimals(10n ** 26n, 18)),
    )
    fc.assert(
      fc.property(used, used, (one, other) => {
        const [before, after] = [period(one), period(other)]
        const parts = sum(Object.values(changeOf(before, after)) as never)
        expect(plain(parts)).toBe(plain(after.amount.minus(before.amount)))
      }),
    )
  })
})
