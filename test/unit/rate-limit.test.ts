import { expect, test } from 'vitest'
import { NAMES_KEPT_MAX, RateLimit, refusalHeaders } from '../../src/http/limits/rate-limit.ts'

function limitOf(count: number, perMs: number) {
  const clock = { ms: 1_000_000 }
  return { clock, limit: new RateLimit({ count, perMs }, () => clock.ms) }
}

test('a name may be used as often as the limit says, and once more is too often', () => {
  const { limit } = limitOf(60, 60_000)
  const uses = Array.from({ length: 61 }, () => limit.use('a'))
  expect(uses.map(({ ok }) => ok)).toEqual([...Array<boolean>(60).fill(true), false])
  expect(uses.map(({ remaining }) => remaining)).toEqual([...Array.from({ length: 60 }, (_, n) => 59 - n), 0])
  expect(refusalHeaders(uses.at(-1)!)).toEqual({
    'ratelimit-limit': '60',
    'ratelimit-remaining': '0',
    'ratelimit-reset': '1',
    'retry-after': '1',
  })
  expect(limit.use('b').ok).toBe(true)
})

test('what was used comes back evenly, one after the other', () => {
  const { clock, limit } = limitOf(10, 1_000)
  for (let n = 0; n < 10; n++) limit.use('a')
  expect(limit.look('a')).toMatchObject({ ok: false, resetMs: 100 })
  clock.ms += 99
  expect(limit.use('a').ok).toBe(false)
  clock.ms += 1
  expect([limit.use('a').ok, limit.use('a').ok]).toEqual([true, false])
  clock.ms += 100_000
  expect(limit.look('a')).toMatchObject({ ok: true, remaining: 10, resetMs: 0 })
})

test('asking while it is used up does not make the wait longer', () => {
  const { clock, limit } = limitOf(2, 1_000)
  for (let n = 0; n < 1_000; n++) limit.use('a')
  clock.ms += 500
  expect(limit.use('a').ok).toBe(true)
})

test('looking uses nothing', () => {
  const { limit } = limitOf(1, 1_000)
  for (let n = 0; n < 5; n++) expect(limit.look('a')).toMatchObject({ ok: true, remaining: 1 })
})

test('its memory is bounded, and forgets who came longest ago', () => {
  const { limit } = limitOf(2, 3_600_000)
  limit.use('first')
  limit.use('second')
  limit.use('first')
  for (let n = 0; n < NAMES_KEPT_MAX - 1; n++) limit.use(`other ${n}`)
  expect(limit.names).toBe(NAMES_KEPT_MAX)
  expect([limit.look('second').remaining, limit.look('first').remaining]).toEqual([2, 0])
})
