import { afterEach, expect, test, vi } from 'vitest'
import { SHOWN_AGAIN_MS, SHOWN_KINDS_MAX, thinned } from './thinned.ts'

afterEach(() => void vi.useRealTimers())

test('the 1st, 10th, 100th … of each kind are shown, however they come', () => {
  const shown = thinned()
  const ones = Array.from({ length: 1000 }, () => shown('one')).filter((count) => count !== undefined)
  expect(ones).toEqual([1, 10, 100, 1000])
  expect([shown('other', 7), shown('other', 2), shown('other', 500)]).toEqual([7, undefined, 509])
})

test('a kind that was silent for ten minutes is shown at once', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const shown = thinned()
  expect([shown('a'), shown('a')]).toEqual([1, undefined])
  vi.setSystemTime(Date.now() + SHOWN_AGAIN_MS)
  expect([shown('a'), shown('a')]).toEqual([3, undefined])
})

test('kinds beyond the limit are counted as one', () => {
  const shown = thinned()
  for (let at = 0; at < SHOWN_KINDS_MAX; at++) expect(shown(`kind ${at}`)).toBe(1)
  expect([shown('more'), shown('yet another'), shown('kind 0')]).toEqual([1, undefined, undefined])
})
