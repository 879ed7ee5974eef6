import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mayPass, PAUSE_MS_MAX, PAUSE_MS_MIN, pauseMs, RETRY_AFTER_MS_MAX, retryAfterMs } from './retry.ts'

const NOW = Date.UTC(2026, 0, 1)

test('pauses double up to their limit, and never end before what the server asks for', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), chance, fc.nat(7_200_000), (failures, luck, asked) => {
      const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (failures - 1))
      const ms = pauseMs(failures, luck, 0)
      expect(ms).toBeGreaterThanOrEqual(longest / 2)
      expect(ms).toBeLessThanOrEqual(longest)
      const respected = pauseMs(failures, luck, asked)
      expect(respected).toBe(Math.max(ms, Math.min(asked, RETRY_AFTER_MS_MAX)))
    }),
  )
  expect(pauseMs(3, 0, 0)).not.toBe(pauseMs(3, 0.5, 0))
})

test.each([
  ['2', 2000],
  [' 0 ', 0],
  ['Thu, 01 Jan 2026 00:00:07 GMT', 7000],
  ['Thu, 01 Jan 2025 00:00:00 GMT', 0],
  ['soon', 0],
  ['9'.repeat(400), RETRY_AFTER_MS_MAX],
  [null, 0],
])('Retry-After %s asks for %d ms', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms)
})

test('only what may pass is sent again', () => {
  expect([408, 429, 500, 502, 503, 504, 599].every(mayPass)).toBe(true)
  expect([400, 401, 403, 404, 409, 413, 415, 422].some(mayPass)).toBe(false)
})
