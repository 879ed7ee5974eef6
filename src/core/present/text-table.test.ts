import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { countOf, plural, readableNumber, readablePer, readableTime, safeText } from './readable-text.ts'
import { type Column, textTable } from './text-table.ts'
import { cutTo, widthOf, wrapTo } from './text-width.ts'

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

for (const [text, width, because] of [
  ['abc', 3, 'letters'],
  ['é', 1, 'an accent that is part of its letter'],
  ['e\u0301', 1, 'an accent that follows its letter'],
  ['漢字', 4, 'Chinese'],
  ['ｱｲｳ', 3, 'half-width Japanese'],
  ['한국', 4, 'Korean'],
  ['🎞', 1, 'a picture that is text unless told otherwise'],
  ['🎞️', 2, 'the same as an emoji'],
  ['👩‍👩‍👧', 2, 'a family of three is one emoji'],
  ['🇫🇷', 2, 'two letters make a flag'],
  ['1️⃣', 2, 'a key'],
  ['', 0, 'nothing'],
] as const) {
  test(`${text || 'an empty text'} takes ${width} columns: ${because}`, () => {
    expect(widthOf(text)).toBe(width)
  })
}

test('a text is cut between characters, and never wider than it may be', () => {
  expect(['abcdef', '漢字漢字', 'ab', ''].map((text) => cutTo(text, 4))).toEqual(['abc…', '漢…', 'ab', ''])
})

test('words go on in the next line, under each other; long ones are broken', () => {
  expect(wrapTo('usage:write usage:read admin', 12)).toEqual(['usage:write', 'usage:read', 'admin'])
  expect(wrapTo('  03:00  received and stored', 18, 9)).toEqual([
    '  03:00  received',
    '         and',
    '         stored',
  ])
  expect(wrapTo('漢字漢字漢字', 5)).toEqual(['漢字', '漢字', '漢字'])
  expect(wrapTo('https://example.com/a', 8)).toEqual(['https://', 'example.', 'com/a'])
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

test('names are cut to the width, down to 8 columns, and a note says so; numbers never', () => {
  const rows = [{ cells: ['a-very-long-name-of-something', '12345', '1.5'] }]
  expect(laidOut(rows, 30).slice(1)).toEqual([
    'a-very-long-n…  12345      1.5',
    'Names that end with … are cut.',
    'Add --wide to see everything.',
  ])
  expect(laidOut(rows, 24)[1]).toBe('a-very-…  12345      1.5')
})

test('where even that is too wide, each row is a list of its cells, whole', () => {
  const rows = [{ cells: ['a-very-long-name', '12345', '1.5'] }, { cells: ['b', '', '1.25'] }]
  expect(laidOut(rows, 20)).toEqual([
    'Name    a-very-long-name',
    'n       12345',
    'Amount  1.5',
    '',
    'Name    b',
    'Amount  1.25',
  ])
})

const wide: readonly Column[] = [
  { heading: 'Key', align: 'left' },
  { heading: 'Name', align: 'left', shrinks: true },
  { heading: 'Scopes', align: 'left', wraps: true },
  { heading: 'Made', align: 'left', drops: 2 },
  { heading: 'By', align: 'left', drops: 1 },
]

test('words wrap, then columns are left out in their order, then names are cut further', () => {
  const cells = [
    'key_1',
    'collector-of-the-gateways',
    'usage:write usage:read',
    '2026-01-02 03:04',
    'cli:root',
  ]
  const at = (width?: number) => textTable(wide, [{ cells }], width).map(({ text }) => text)
  expect(at()).toHaveLength(2)
  expect(at(80)).toEqual([
    'Key    Name                   Scopes                  Made              By',
    'key_1  collector-of-the-gat…  usage:write usage:read  2026-01-02 03:04  cli:root',
    'Names that end with … are cut. Add --wide to see everything.',
  ])
  expect(at(60)).toEqual([
    'Key    Name                  Scopes                 By',
    'key_1  collector-of-the-ga…  usage:write            cli:root',
    '                             usage:read',
    'Left out for lack of room: Made. Names that end with … are',
    'cut. Add --wide to see everything.',
  ])
  for (const width of [100, 80, 70, 60, 50, 40]) {
    expect([width, Math.max(...at(width).map(widthOf)) <= width]).toEqual([width, true])
  }
})

test('a table has as many rows as a bill has lines', () => {
  const rows = Array.from({ length: 200_000 }, (_, at) => ({ cells: ['a', String(at), '0.5'] }))
  expect(textTable(columns, rows).at(-1)!.text).toBe('a     199999      0.5')
})
