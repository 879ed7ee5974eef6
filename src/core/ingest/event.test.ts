import { expect, test } from 'vitest'
import type { Instant } from '../time/instant.ts'
import { sameContent } from './event.ts'

const first = { type: 'a', at: 1_000 as Instant, data: '{"n":1}' }
const later = { ...first, at: 2_000 as Instant }

test('another time, type or data is another content', () => {
  expect(sameContent(first, { ...first })).toBe(true)
  expect(sameContent(first, later)).toBe(false)
  expect(sameContent(first, { ...first, type: 'b' })).toBe(false)
  expect(sameContent(first, { ...first, data: '{"n":2}' })).toBe(false)
})

test('what came without a time is compared by type and data alone', () => {
  expect(sameContent(first, { ...later, untimed: true })).toBe(true)
  expect(sameContent(first, { ...later, untimed: true, data: '{"n":2}' })).toBe(false)
  expect(sameContent(first, { ...later, untimed: true, type: 'b' })).toBe(false)
})
