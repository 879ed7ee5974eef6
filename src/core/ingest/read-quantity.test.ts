import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { plain } from '../money/decimal.ts'
import type { Json } from '../text/canonical-json.ts'
import { readQuantity, readWhole } from './read-quantity.ts'

/** What a quantity reads as, or the sentence that refuses it. */
function readAs(json: string, read = readQuantity): string {
  const quantity = read(JSON.parse(json) as Json, 'data.n')
  return 'code' in quantity ? quantity.detail : plain(quantity)
}

for (const { json, quantity, because } of table<'json' | 'quantity' | 'because'>(`
  json                 | quantity               | because
  0                    | 0                      |
  -0                   | 0                      |
  7                    | 7                      |
  1.0                  | 1                      | the parsed value counts
  1e3                  | 1000                   | the parsed value counts
  9007199254740991     | 9007199254740991       | 2^53 - 1: the last that is exact
  "0"                  | 0                      |
  "0.10"               | 0.1                    |
  "9007199254740993"   | 9007199254740993       | text has no limit at 2^53
  "999999999999999999999999999999.999999999999" | 999999999999999999999999999999.999999999999 | 30 and 12 digits
`)) {
  test(`the quantity ${json} is ${quantity}. ${because}`, () => {
    expect(readAs(json)).toBe(quantity)
  })
}

for (const { json, says } of table<'json' | 'says'>(`
  json                 | says
  9007199254740992     | data.n is a JSON number above 9007199254740991 (2^53 - 1): send it as a decimal string.
  1e30                 | is a JSON number above
  1e400                | is a JSON number above
  0.5                  | data.n is a JSON number that is not whole: send it as a decimal string.
  4503599627370495.5   | is a JSON number that is not whole
  -0.5                 | data.n is negative
  -1                   | data.n is negative: send 0 or more; to correct usage, void it.
  "-1"                 | data.n is negative
  "-0"                 | data.n is negative
  ""                   | data.n is not a plain decimal: send digits and at most one point, such as "12.5".
  "1e3"                | not a plain decimal
  "+1"                 | not a plain decimal
  " 1"                 | not a plain decimal
  "1,5"                | not a plain decimal
  "NaN"                | not a plain decimal
  "Infinity"           | not a plain decimal
  "0x10"               | not a plain decimal
  "1000000000000000000000000000000" | data.n has too many digits: send at most 30 before and 12 after the point.
  "0.1234567890123"    | too many digits
  null                 | data.n is missing: send a decimal string such as "12.5".
  true                 | data.n is not a quantity: send a decimal string such as "12.5".
  []                   | not a quantity
  {}                   | not a quantity
`)) {
  test(`the quantity ${json} is refused: ${says}`, () => {
    expect(readAs(json)).toContain(says)
  })
}

test('a text of a thousand digits is refused without being read', () => {
  expect(readAs(`"${'1'.repeat(1000)}"`)).toContain('not a plain decimal')
})

test('calls and bytes do not come in parts', () => {
  expect(readAs('"12.0"', readWhole)).toBe('12')
  expect(readAs('"12.5"', readWhole)).toBe('data.n is not a whole number: send it without a fraction.')
  expect(readAs('-1', readWhole)).toContain('is negative')
})

// Guarantee: a quantity is never changed by being sent as text.
test('every quantity of at most 30 and 12 digits is read to the last digit', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 30n - 1n), fc.stringMatching(/^\d{0,11}[1-9]$/), (whole, fraction) => {
      expect(readAs(`"${whole}.${fraction}"`)).toBe(`${whole}.${fraction}`)
    }),
  )
})
