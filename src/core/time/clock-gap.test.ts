import { describe, expect, test } from 'vitest'
import {
  type ClockDelay,
  differenceMs,
  isDelayed,
  isDifferenceAccepted,
  judgeGap,
  judgeUsage,
} from './clock-gap.ts'
import type { Instant } from './instant.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const GRACE = 10 * MINUTE
const T = Date.UTC(2025, 6, 28, 3)
const at = (ms: number) => (T + ms) as Instant
const delay = (from: number): ClockDelay => ({ since: at(0), from: at(from), until: at(from + GRACE) })

describe('a gap in which nobody has seen the clock', () => {
  test.each<[string, number, ClockDelay | undefined, ClockDelay | 'delayed' | 'seen']>([
    ['none', 1_000, undefined, 'seen'],
    ['an hour', HOUR, undefined, 'seen'],
    ['more than an hour delays by one grace', HOUR + 1, undefined, delay(HOUR + 1)],
    ['a day', DAY, undefined, delay(DAY)],
    ['the clock went back', -DAY, undefined, 'seen'],
    ['the delay lasts', DAY + GRACE - 1, delay(DAY), 'delayed'],
    ['it is over', DAY + GRACE, delay(DAY), 'seen'],
    ['it was over when nobody looked', DAY + GRACE + HOUR, delay(DAY), 'seen'],
    ['set back during the delay, to when it was right', MINUTE, delay(DAY), 'seen'],
    ['set back during the delay, and not by enough', DAY / 2, delay(DAY), delay(DAY / 2)],
  ])('%s', (_, now, known, expected) => {
    expect(judgeGap({ now: at(now), seenAt: at(0), delay: known }, GRACE)).toEqual(expected)
  })

  test('after a delay that was over for more than an hour there is another', () => {
    const now = at(3 * DAY)
    const since = at(DAY + GRACE)
    expect(judgeGap({ now, seenAt: at(0), delay: delay(DAY) }, GRACE)).toEqual({
      since,
      from: now,
      until: now + GRACE,
    })
  })

  test('a delay is half-open, and does not hold for a clock that was set back', () => {
    expect([-1, 0, GRACE - 1, GRACE].map((ms) => isDelayed(delay(DAY), at(DAY + ms)))).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(isDelayed(undefined, at(0))).toBe(false)
  })
})

test.each<[string, number | undefined, 'none' | 'fresh' | 'behind']>([
  ['no usage says nothing', undefined, 'none'],
  ['usage of now', DAY, 'fresh'],
  ['usage of a sender whose clock is ahead', DAY + MINUTE, 'fresh'],
  ['usage of an hour ago', DAY - HOUR, 'fresh'],
  ['usage of more than an hour ago', DAY - HOUR - 1, 'behind'],
  ['usage of when the clock was last seen', 0, 'behind'],
  ['usage of a sender whose clock was a little behind then', -5 * MINUTE, 'behind'],
  ['usage of before', -5 * MINUTE - 1, 'none'],
  ['usage of last year', -365 * DAY, 'none'],
])('%s', (_, newest, expected) => {
  expect(judgeUsage(newest === undefined ? undefined : at(newest), at(DAY), at(0))).toBe(expected)
})

test.each<[string, number, number, number, number]>([
  ['equal clocks', 0, 0, 0, 0],
  ['a slow answer explains it', 0, -MINUTE, 10 * MINUTE, 0],
  ['the database is ahead', 6 * MINUTE, 0, 1, 6 * MINUTE - 1],
  ['the database is behind', -6 * MINUTE, 0, 1, -6 * MINUTE],
])('%s', (_, now, before, after, expected) => {
  expect(differenceMs(at(now), { before: T + before, after: T + after })).toBe(expected)
})

test.each<[number, number | undefined, boolean]>([
  [0, undefined, true],
  [5 * MINUTE, undefined, true],
  [5 * MINUTE + 1, undefined, false],
  [-5 * MINUTE - 1, undefined, false],
  [DAY, DAY, true],
  [DAY + 5 * MINUTE + 1, DAY, false],
  [0, DAY, true],
  [DAY / 2, DAY, false],
  [-DAY, DAY, false],
])('a difference of %i ms, accepted %s', (ms, accepted, expected) => {
  expect(isDifferenceAccepted(ms, accepted)).toBe(expected)
})
