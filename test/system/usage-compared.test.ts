import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hourOf, total, type UsageWorld, usageWorld } from './usage-world.ts'

// Guarantee: usage beside another period says why its amount differs, and the parts sum to the difference exactly.

let world: UsageWorld
beforeAll(async () => {
  world = await usageWorld()
}, 120_000)
afterAll(() => world.server.close())

describe('beside another period', () => {
  const partsSum = ({ parts }: { parts: Record<string, string> }) => total(Object.values(parts))

  test.each([
    [{ from: '2025-11', to: '2025-12' }, 'previous', ['2025-10-01T00:00:00Z', '2025-11-01T00:00:00Z']],
    [{ from: '2025-10-06', to: '2025-10-13' }, 'previous', ['2025-09-29T00:00:00Z', '2025-10-06T00:00:00Z']],
    [
      { from: '2025-11-05T06Z', to: '2025-11-05T10Z' },
      'previous',
      ['2025-11-05T02:00:00Z', '2025-11-05T06:00:00Z'],
    ],
    [
      { from: '2025-11', to: '2025-12' },
      '2025-10-03/2025-10-20',
      ['2025-10-03T00:00:00Z', '2025-10-20T00:00:00Z'],
    ],
    [{ from: '2025-11', to: '2025-11-05' }, 'previous', ['2025-10-01T00:00:00Z', '2025-10-05T00:00:00Z']],
  ])('%j with %s: the parts sum to the difference, to the last digit', async (range, compare, [from, to]) => {
    for (const basis of ['usage', 'bill']) {
      const asked = { ...range, basis, timeZone: 'UTC', groupBy: 'item', limit: '1000' }
      const { items, total: now, comparison } = await world.ask({ ...asked, compare })
      expect([comparison.from, comparison.to]).toEqual([from, to])
      const before = await world.ask({ ...asked, from: from!, to: to!, window: 'none' })
      expect(comparison.before.amount).toBe(before.total.amount)
      expect(comparison.difference).toBe(total([now.amount, `-${before.total.amount}`.replace('--', '')]))
      expect(partsSum(comparison)).toBe(comparison.difference)
      for (const { amount, change } of items) {
        expect(partsSum(change)).toBe(total([amount, `-${change.before.amount}`.replace('--', '')]))
      }
      if (basis === 'usage') expect(comparison.parts.corrections).toBe('0')
    }
  })

  test('a price that has risen is no more usage', async () => {
    const asked = {
      from: '2025-11',
      to: '2025-12',
      compare: 'previous',
      filter: 'item=Calls',
      groupBy: 'item',
    }
    const { items } = await world.ask(asked)
    const [{ change }] = items
    expect([change.parts.used.startsWith('-'), change.parts.price.startsWith('-')]).toEqual([true, false])
  })

  test('of a running month, it is as many hours of the month before', async () => {
    const month = new Date().toISOString().slice(0, 7)
    const next = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5))))
      .toISOString()
      .slice(0, 7)
    const { comparison } = await world.ask({ from: month, to: next, compare: 'previous' })
    const begun = Math.floor((Date.now() - Date.parse(`${month}-01T00:00Z`)) / 3_600_000) + 1
    const hours = hourOf(comparison.to) - hourOf(comparison.from)
    const length = (Date.parse(`${month}-01`) - Date.parse(comparison.from)) / 3_600_000
    expect([Math.min(begun, length), Math.min(begun - 1, length)]).toContain(hours)
  })
})
