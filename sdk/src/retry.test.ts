import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  judgeStatus,
  PAUSE_MS_MAX,
  PAUSE_MS_MIN,
  pauseMs,
  REFUSED_PAUSES,
  RETRY_AFTER_MS_MAX,
  retryAfterMs,
} from './retry.ts'

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

test('after a refusal the pauses are longer', () => {
  expect([1, 2, 7, 1000].map((failures) => pauseMs(failures, 1, 0, REFUSED_PAUSES))).toEqual([
    1000, 2000, 60_000, 60_000,
  ])
})

test.each([
  ['passing', [301, 304, 408, 429, 500, 502, 503, 504, 599]],
  ['sending', [401, 404, 405, 407, 410, 415]],
  ['content', [400, 402, 409, 413, 414, 422, 431, 451, 499]],
] as const)('a status that says something of %s', (judged, statuses) => {
  for (const status of statuses) {
    expect([status, judgeStatus(status, true), judgeStatus(status, false)]).toEqual([status, judged, judged])
  }
})

test('403 of Farthing is about the key, and that of anything else perhaps about the content', () => {
  expect([judgeStatus(403, true), judgeStatus(403, false)]).toEqual(['sending', 'content'])
})
