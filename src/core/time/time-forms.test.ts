import { expect, test } from 'vitest'
import { formatInstant, type Instant, parseInstant } from './instant.ts'
import { monthOf, parseRelativeTime, parseTime, RELATIVE_FORMS, TIME_FIX, TIME_FORMS } from './time-forms.ts'

const NOW = parseInstant('2025-07-28T09:30:15Z') as Instant

test('every form is read as the table says', () => {
  for (const { example, means } of TIME_FORMS) {
    expect([example, parseTime(example)]).toEqual([example, parseInstant(means)])
    expect(TIME_FIX).toContain(example)
  }
  for (const { example, means } of RELATIVE_FORMS) {
    expect([example, parseRelativeTime(example, NOW)]).toEqual([example, parseInstant(means)])
    expect(parseTime(example)).toBe('not_rfc3339')
  }
})

const TIMES: readonly (readonly [text: string, is: string])[] = [
  ['2024-02', '2024-02-01T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2025-12-31T23Z', '2025-12-31T23:00:00.000Z'],
  ['2025-07-28t09z', '2025-07-28T09:00:00.000Z'],
  ['2025-07-28T09+02:00', '2025-07-28T07:00:00.000Z'],
  ['2025-07-28T00:30-05:30', '2025-07-28T06:00:00.000Z'],
  ['2025-07-28T09:00:00.9999Z', '2025-07-28T09:00:00.999Z'],
  ['0001-01', '0001-01-01T00:00:00.000Z'],
  ['2025-00', 'not_a_date'],
  ['2025-13', 'not_a_date'],
  ['2025-02-29', 'not_a_date'],
  ['2025-07-32', 'not_a_date'],
  ['2025-07-28T24Z', 'not_a_date'],
  ['2025-07-28T09:60Z', 'not_a_date'],
  ['2025-07-28T09:00:00', 'no_offset'],
  ['2025', 'not_rfc3339'],
  ['2025-7', 'not_rfc3339'],
  ['2025-07-', 'not_rfc3339'],
  ['2025-07Z', 'not_rfc3339'],
  ['2025-07-28Z', 'not_rfc3339'],
  ['2025-07-28T09', 'not_rfc3339'],
  ['2025-07-28T09:00', 'not_rfc3339'],
  ['2025-07-28 09:00Z', 'not_rfc3339'],
  ['20250728', 'not_rfc3339'],
  ['July 2025', 'not_rfc3339'],
  ['1753671600', 'not_rfc3339'],
  ['', 'not_rfc3339'],
]
for (const [text, is] of TIMES) {
  test(`${JSON.stringify(text)} is ${is}`, () => {
    const at = parseTime(text)
    expect(typeof at === 'number' ? formatInstant(at) : at).toBe(is)
  })
}

const RELATIVE: readonly (readonly [text: string, is: string | undefined])[] = [
  ['-30m', '2025-07-28T09:00:15.000Z'],
  ['-0h', '2025-07-28T09:30:15.000Z'],
  ['-31d', '2025-06-27T09:30:15.000Z'],
  ['-2', undefined],
  ['2h', undefined],
  ['+2h', undefined],
  ['-2w', undefined],
  ['-1.5h', undefined],
  ['Today', undefined],
  ['tomorrow', undefined],
]
for (const [text, is] of RELATIVE) {
  test(`${text} is ${is ?? 'no time'}`, () => {
    const at = parseRelativeTime(text, NOW)
    expect(at === undefined ? undefined : formatInstant(at)).toBe(is)
  })
}

const MONTHS: readonly (readonly [text: string, from: string, to: string])[] = [
  ['2025-07', '2025-07-01T00:00:00.000Z', '2025-08-01T00:00:00.000Z'],
  ['2025-12', '2025-12-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'],
  ['2024-02', '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
]
for (const [text, from, to] of MONTHS) {
  test(`the month ${text} is [${from}, ${to})`, () => {
    const month = monthOf(text)!
    expect([formatInstant(month.from), formatInstant(month.to)]).toEqual([from, to])
  })
}

test('what is no month of the calendar has no range', () => {
  for (const text of ['2025-13', '2025-07-28', '2025', 'July']) expect(monthOf(text)).toBe(undefined)
})
