import { expect, test } from 'vitest'
import { agree, countOf } from './count-of.ts'

for (const [count, said] of [
  [0, '0 events'],
  [1, '1 event'],
  [2, '2 events'],
  [1200, '1,200 events'],
  [1_000_001, '1,000,001 events'],
] as const) {
  test(`says ${said}`, () => {
    expect(countOf(count, 'event')).toBe(said)
    expect(agree(count, 'is', 'are')).toBe(count === 1 ? 'is' : 'are')
  })
}
