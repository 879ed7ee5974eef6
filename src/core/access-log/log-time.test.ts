import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { formatInstant, SECOND_DIGITS_MAX } from '../time/instant.ts'
import { readDurationMs, readLogTime } from './log-time.ts'

for (const { text, instant } of table<'text' | 'instant'>(`
  text                          | instant
  1753671600.123                | 2025-07-28T03:00:00.123Z
  1753671600.1                  | 2025-07-28T03:00:00.100Z
  1753671600                    | 2025-07-28T03:00:00.000Z
  1753671599.999999             | 2025-07-28T02:59:59.999Z
  28/Jul/2025:11:00:00 +0800    | 2025-07-28T03:00:00.000Z
  29/Feb/2024:23:30:00 -0130    | 2024-03-01T01:00:00.000Z
  2025-07-28T11:00:00+08:00     | 2025-07-28T03:00:00.000Z
  2018-07-02T22:23:00.186641Z   | 2018-07-02T22:23:00.186Z
  1753671599.999999999999999999999999999999 | 2025-07-28T02:59:59.999Z
  2025-07-28T02:59:59.9999999999Z | 2025-07-28T02:59:59.999Z
  1753671600.                   | none
  1753671600123                 | none
  30/Feb/2025:00:00:00 +0000    | none
  28/Jly/2025:00:00:00 +0000    | none
  2025-07-28T03:00:00           | none
  28 Jul 2025                   | none
`)) {
  test(`the time ${text} of a log is ${instant}`, () => {
    const at = readLogTime(text)
    expect(at === undefined ? 'none' : formatInstant(at)).toBe(instant)
  })
}

test('a time of a log has at most SECOND_DIGITS_MAX digits of a second', () => {
  const at = (digits: number) => readLogTime(`1753671600.${'9'.repeat(digits)}`)
  expect(at(SECOND_DIGITS_MAX)).toBe(1_753_671_600_999)
  expect(at(SECOND_DIGITS_MAX + 1)).toBeUndefined()
})

test('a duration is whole milliseconds, rounded down', () => {
  expect(['0', '15', '15.9', '-1', 'x', ''].map(readDurationMs)).toEqual([
    0,
    15,
    15,
    undefined,
    undefined,
    undefined,
  ])
})
