import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  allTold,
  anyBook,
  type BookData,
  changed,
  firstDifference,
  HOURS,
} from '../../../../../test/unit/oracle-versions.ts'
import type { Hour } from '../../../time/hour.ts'
import { changesBetween } from './changes.ts'
import { comparePriceBooks } from './compare-price-books.ts'
import { readPriceBook } from '../parse/read-price-book.ts'

/** The book, or undefined where the random parts do not fit together. */
function read(data: BookData) {
  const found = readPriceBook(data)
  return found.ok ? found.book : undefined
}

const anyPair = anyBook.chain((old) =>
  fc.tuple(
    fc.constant(old),
    fc.oneof(changed(old), changed(old).chain(changed), anyBook),
    fc.integer({ min: 9, max: 17 }),
    fc.subarray(['t.x', 't.y']),
  ),
)

// Guarantee: a new version passes exactly if every event that the old one accepts, in any hour that has begun, is
// charged in the same way, and stored data too, unless no event of its type was ever accepted. Compared with brute force over all events, hours and statuses.
test('a version passes if, and only if, it charges begun hours as before', () => {
  const seen = { passed: 0, refused: 0, invalid: 0 }
  fc.assert(
    fc.property(anyPair, ([oldData, nextData, open, accepted]) => {
      const [old, next] = [read(oldData), read(nextData)]
      if (!old || !next) return void seen.invalid++
      const types = new Set(accepted)
      const found = comparePriceBooks(old, next, open as Hour, types)
      const hours = HOURS.filter((hour) => hour < open)
      const difference = firstDifference(old, next, hours, types)
      if (difference === undefined) {
        seen.passed++
        expect(found).toEqual([])
        return
      }
      seen.refused++
      expect(Math.min(...found.map(({ hour }) => hour))).toBe(difference)
    }),
    { numRuns: 3_000 },
  )
  expect(Math.min(seen.passed, seen.refused)).toBeGreaterThan(500)
})

// Guarantee: what is said to differ is all that differs.
test('versions between which nothing changes say the same of every event', () => {
  let same = 0
  fc.assert(
    fc.property(anyPair, ([oldData, nextData]) => {
      const [old, next] = [read(oldData), read(nextData)]
      if (!old || !next || changesBetween(old, next).length > 0) return
      same++
      expect(allTold(next)).toBe(allTold(old))
      expect(comparePriceBooks(old, next, 10_000 as Hour, new Set(['t.x', 't.y']))).toEqual([])
    }),
    { numRuns: 1_000 },
  )
  expect(same).toBeGreaterThan(10)
})
