import { publicPrices } from '../rate/rating/account-prices.ts'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parsePriceBook } from '../../flows/prices/parse-price-book.ts'
import type { Level } from '../meter/level.ts'
import { decimal } from '../money/decimal.ts'
import { type Hour, hourOf, startOf } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'
import { CHANGE_STEPS_MAX, storageChange } from './storage-change.ts'

// A GB-hour costs 0.00003.
const parsed = parsePriceBook(readFileSync('scenarios/price-book.yaml', 'utf8'), 'price-book.yaml')
if (!parsed.ok) throw new Error('the scenarios have no price book')
const { book } = parsed

const first = hourOf(Date.UTC(2025, 6, 28) as Instant)
function level(id: string, hour: number, gigabytes: number, dataset = 'd'): Level {
  const at = (startOf((first + Math.floor(hour)) as Hour) + (hour % 1) * 3_600_000) as Instant
  return { project: 'p', dataset, region: null, at, source: 's', id, bytes: decimal(`${gigabytes}000000000`) }
}
const [a, b, c] = [level('a', 0, 1), level('b', 2.5, 5), level('c', 4, 2)]
const after = (hours: number) => (first + hours) as Hour

test.each([
  // 1.5 hours of 5 GB become as many of 1 GB.
  ['the level before goes on', [b], 10, '-0.00018'],
  // Half an hour of it.
  ['only hours before the end count', [b], 3, '-0.00006'],
  // 2 GB for 6 hours become 5 GB.
  ['a higher one goes on: more is charged', [c], 10, '0.00054'],
  ['the first one: nothing was stored', [a], 10, '-0.000075'],
  // 2.5 GB-hours, 7.5 and 12.
  ['all of them', [a, b, c], 10, '-0.00066'],
  ['hours that are all later', [c], 4, '0'],
  ['none', [], 10, '0'],
])('what voiding levels changes: %s', (_name, takenBack, hours, expected) => {
  const levels = [a, b, c, level('other', 1, 9, 'e')]
  expect(
    storageChange(
      { prices: publicPrices(book), positions: new Map() },
      { levels, takenBack, to: after(hours) },
    ),
  ).toBe(expected)
})

test('a change is looked at until the series has its next level, and up to a limit of work', () => {
  // Of two levels, an hour is 102 steps.
  const hours = Math.floor(CHANGE_STEPS_MAX / 102)
  const change = (takenBack: readonly Level[], to: number) =>
    storageChange(
      { prices: publicPrices(book), positions: new Map() },
      { levels: [a, b], takenBack, to: after(to) },
    )
  expect(change([a], 10 * hours)).toBe('-0.000075')
  expect(change([b], hours + 2)).toMatch(/^-1\.17/)
  expect(change([b], hours + 3)).toBe(null)
})
