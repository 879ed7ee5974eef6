import { expect, test } from 'vitest'
import { table } from '../../../../test/table.ts'
import { plain } from '../../money/decimal.ts'
import { readPer, unitsOf } from './per.ts'

for (const { per, units, kind } of table<'per' | 'units' | 'kind'>(`
  per      | units               | kind
  1        | 1                   | count
  1000     | 1000                | count
  second   | 1000                | time
  minute   | 60000               | time
  hour     | 3600000             | time
  KB       | 1000                | size
  MB       | 1000000             | size
  GB       | 1000000000          | size
  TB       | 1000000000000       | size
  KiB      | 1024                | size
  MiB      | 1048576             | size
  GiB      | 1073741824          | size
  TiB      | 1099511627776       | size
  KB-hour  | 3600000000          | level
  GB-hour  | 3600000000000000    | level
  GiB-hour | 3865470566400000    | level
  TiB-hour | 3958241859993600000 | level
`)) {
  test(`per ${per} is ${units} base units`, () => {
    const read = readPer(per)!
    expect([plain(read.units), read.kind, read.text]).toEqual([units, kind, per])
  })
}

test('a number is as good as its digits, while it is exact', () => {
  expect(readPer(1000)).toEqual(readPer('1000'))
  expect(readPer(Number.MAX_SAFE_INTEGER)).toEqual(readPer('9007199254740991'))
  for (const value of [2 ** 53, 0, -1, 1.5, Infinity, NaN]) expect(readPer(value)).toBeUndefined()
})

test('30 digits are read, 31 are not', () => {
  expect(plain(readPer('9'.repeat(30))!.units)).toBe('9'.repeat(30))
  expect(readPer('9'.repeat(31))).toBeUndefined()
})

test('nothing else is read: no other case, sign, fraction, unit or property name', () => {
  const others =
    '0 010 +1 -1 1.0 1,000 1e3 Minute gb GB-day GB-hour-hour -hour hour-hour PB constructor'.split(' ')
  expect(['', ' 1', ...others].filter((text) => readPer(text) !== undefined)).toEqual([])
})

test('what a line calls its pricing unit says how many base units that is', () => {
  const read = ['1000 call', '1 page', '3 minute', 'minute', 'GB', 'GB-hour'].map((text) =>
    plain(unitsOf(text)),
  )
  expect(read).toEqual(['1000', '1', '3', '60000', '1000000000', '3600000000000000'])
  for (const text of ['', 'call', '0 call'])
    expect(() => unitsOf(text)).toThrow(/is the pricing unit of a rate/)
})
