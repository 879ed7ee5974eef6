import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { countOf, plural, readableNumber, readablePer, readableTime, safeText } from './readable-text.ts'
import { textTable, widthOf } from './text-table.ts'

for (const { plain, shown, because } of table(`
  plain                | shown                     | because
  0                    | 0                         | nothing to group
  999                  | 999                       | nothing to group
  1000                 | 1,000                     | from four digits on
  -1000                | -1,000                    | no comma after the sign
  -100                 | -100                      | no comma after the sign
  1234567.5            | 1,234,567.5               | the whole part alone is grouped
  0.123456789012       | 0.123456789012            | a fraction is left whole, to be compared
  12345678901234567890 | 12,345,678,901,234,567,890 | more digits than a JavaScript number has
`)) {
  test(`${plain} reads ${shown}: ${because}`, () => {
    expect(readableNumber(plain!)).toBe(shown)
  })
}

for (const { count, unit, shown } of table(`
  count | unit             | shown
  1     | call             | 1 call
  0     | call             | 0 calls
  1.5   | page             | 1.5 pages
  2     | query            | 2 queries
  2     | key              | 2 keys
  2     | box              | 2 boxes
  83250 | byte-millisecond | 83,250 byte-milliseconds
`)) {
  test(`${count} of ${unit} reads ${shown}`, () => {
    expect(countOf(count!, unit!)).toBe(shown)
  })
}

test('what a price is for', () => {
  expect(plural('glass')).toBe('glasses')
  expect(readablePer('1000 call')).toBe('1,000 calls')
  expect(readablePer('1 image')).toBe('image')
  expect(readablePer('GB-hour')).toBe('GB-hour')
})

for (const { time, shown } of table(`
  time                     | shown
  2025-07-28T03:00:00Z     | 2025-07-28 03:00
  2025-07-28T03:00:00.000Z | 2025-07-28 03:00
  2025-07-28T03:04:05.000Z | 2025-07-28 03:04:05
  2025-07-28T03:04:00.120Z | 2025-07-28 03:04:00.120
  yesterday                | yesterday
`)) {
  test(`${time} reads ${shown}`, () => {
    expect(readableTime(time!)).toBe(shown)
  })
}

test('control characters, line ends and marks of direction are replaced, letters are not', () => {
  expect(safeText('a\u001b[31m\u2028\u202e\u0085é漢')).toBe('a\ufffd[31m\ufffd\ufffd\ufffdé漢')
})

test('wide characters take two columns, combining marks none', () => {
  expect(['abc', 'é', 'e\u0301', '漢字', '🎞', ''].map(widthOf)).toEqual([3, 1, 1, 4, 2, 0])
})

const columns = [
  { heading: 'Name', align: 'left', shrinks: true },
  { heading: 'n', align: 'right' },
  { heading: 'Amount', align: 'decimal', gap: 3 },
] as const

function laidOut(rows: Parameters<typeof textTable>[1], widthMax?: number): readonly string[] {
  return textTable(columns, rows, widthMax).map(({ text }) => text)
}

test('points are below each other, whole numbers end where points are, lines end without blanks', () => {
  const rows = [
    { cells: ['漢字', '1', '1.25'] },
    { cells: ['abcdef', '200', '30'] },
    { cells: ['x', '', ''] },
  ]
  expect(laidOut(rows)).toEqual(['Name      n   Amount', '漢字      1     1.25', 'abcdef  200    30', 'x'])
})

test('a label runs over all columns but the last, a text over all', () => {
  const rows = [
    { cells: ['a', '1', '1.5'] },
    { role: 'total', label: 'All that there is', cell: '20.25' },
    { role: 'note', text: 'a remark that is longer than the table' },
  ] as const
  expect(laidOut(rows)).toEqual([
    'Name          n   Amount',
    'a             1     1.5',
    'All that there is  20.25',
    'a remark that is longer than the table',
  ])
})

test('names are cut to the width, down to 8 columns; numbers never', () => {
  const rows = [{ cells: ['a-very-long-name-of-something', '12345', '1.5'] }]
  expect(laidOut(rows, 30)[1]).toBe('a-very-long-n…  12345      1.5')
  expect(laidOut(rows, 1)[1]).toBe('a-very-…  12345      1.5')
})

test('a table has as many rows as a bill has lines', () => {
  const rows = Array.from({ length: 200_000 }, (_, at) => ({ cells: ['a', String(at), '0.5'] }))
  expect(textTable(columns, rows).at(-1)!.text).toBe('a     199999      0.5')
})
