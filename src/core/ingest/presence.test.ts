import { expect, test } from 'vitest'
import type { Hour } from '../time/hour.ts'
import { isExpected } from './presence.ts'

/** The hour that is looked at. */
const HOUR = 500_000 as Hour

/** A source that has reported so many hours ago. */
function reporting(hoursAgo: readonly number[]) {
  const lastHour = (HOUR - Math.min(...hoursAgo)) as Hour
  const hours = hoursAgo.reduce((bits, ago) => bits | (1n << BigInt(lastHour - (HOUR - ago))), 0n)
  return isExpected({ lastHour, hours }, HOUR)
}

function ago(from: number, to: number, except: readonly number[] = []): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index).filter(
    (at) => !except.includes(at),
  )
}

const CASES: readonly (readonly [because: string, hoursAgo: readonly number[], expected: boolean])[] = [
  ['it reports every hour', ago(1, 192), true],
  ['it is new: 23 hours', ago(1, 23), false],
  ['it is new: a whole day', ago(1, 24), true],
  ['20 of the last 24 hours, yesterday at this hour too', ago(1, 24, [2, 5, 9, 23]), true],
  ['19 of them', ago(1, 24, [2, 5, 9, 13, 23]), false],
  ['20 of them, but not at this hour of yesterday', ago(1, 23, [2, 5, 9]), false],
  ['once a day, a week long', [24, 48, 72, 96, 120, 144, 168], true],
  ['once a day, on 6 of 7 days', [24, 48, 96, 120, 144, 168], true],
  ['once a day, on 5 of 7 days', [24, 96, 120, 144, 168], false],
  ['once a day, but at another hour', [23, 47, 71, 95, 119, 143, 167], false],
  ['it stopped two days ago and is still missed at this hour', ago(25, 192), true],
  ['it stopped three days ago', ago(50, 192), false],
]

for (const [because, hoursAgo, expected] of CASES) {
  test(`a source is ${expected ? '' : 'not '}expected when ${because}`, () => {
    expect(reporting(hoursAgo)).toBe(expected)
  })
}
