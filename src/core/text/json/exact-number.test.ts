import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../../test/table.ts'
import { isExactNumber, NUMBER_CHARACTERS_MAX } from './exact-number.ts'

for (const { number, because } of table<'number' | 'because'>(`
  number                      | because
  0                           |
  -0                          | zero has no sign
  0.0                         |
  0e5                         |
  0.000e-400                  | zero, whatever its exponent
  0e99999999999999999999      |
  7                           |
  1.0                         | the integer 1
  1e3                         | the integer 1000
  100e-2                      | the integer 1
  1E+3                        |
  -12.50                      | a zero at the end is no other value
  0.1                         | it is what the double is written as
  0.10                        |
  1e-1                        |
  10000000000000000000000e-23 |
  0.30000000000000004         | 0.1 + 0.2 as every language writes it
  5e-324                      | the smallest double
  2.2250738585072014e-308     | the smallest normal one
  1.7976931348623157e308      | the largest one
  9007199254740991            | 2^53 - 1
  9007199254740992            | 2^53
  9007199254740992.0          |
  9007199254740994            | above 2^53 every second integer is a double
  4503599627370495.5          | halves are doubles up to 2^52
  295147905179352830000       | 2^68 as it is written
  1e23                        | written so, though the double is a little less
  1753671600.123456           | seconds with microseconds
  123456789012345             |
  0.000001                    |
`)) {
  test(`${number} is exact. ${because}`, () => expect(isExactNumber(number)).toBe(true))
}

for (const { number, because } of table<'number' | 'because'>(`
  number                                   | because
  0.99999999999999999999                   | a double makes 1 of it
  1.00000000000000000001                   |
  0.1000000000000000055511151231257827      | nearly what the double of 0.1 is, and not 0.1
  0.1000000000000000055511151231257827021181583404541015625 | what the double is, and not what it is written as
  0.10000000000000001                      | 17 digits, as C prints the double of 0.1
  9007199254740993                         | 2^53 + 1 is no double
  -9007199254740993                        |
  9007199254740993.0                       |
  9007199254740993e0                       |
  900719925474099.3e1                      |
  4503599627370497.5                       | above 2^52 there are no halves
  1e400                                    | infinite
  -1e400                                   |
  1e-400                                   | 0
  -1e-400                                  |
  0.1e-400                                 |
  1e-99999999999999999999                  |
  1e99999999999999999999                   |
  4.9406564584124654e-324                  | the smallest double has one digit
  3e-324                                   | becomes 5e-324
  295147905179352825856                    | 2^68 to the last digit: written otherwise
  1753671600123456789                      | nanoseconds
  18446744073709551615                     | 2^64 - 1
  12345678901234567890                     | an id
  100000000000000000000000000000000000001  |
  0.30000000000000004000001                |
  2.00000000000000011102230246251565       |
`)) {
  test(`${number} is not exact. ${because}`, () => expect(isExactNumber(number)).toBe(false))
}

test('a number of more characters than NUMBER_CHARACTERS_MAX is refused unseen', () => {
  const longest = '1.'.padEnd(NUMBER_CHARACTERS_MAX, '0')
  expect(isExactNumber(longest)).toBe(true)
  expect(isExactNumber(`${longest}0`)).toBe(false)
})

/** A number as JSON writes it, with what makes doubles err. */
const anyNumber = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,24}$/)),
    fraction: fc.oneof(
      fc.constant(''),
      fc.stringMatching(/^\.\d{1,24}$/),
      fc.stringMatching(/^\.0{0,9}9{0,20}\d$/),
    ),
    exponent: fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][-+]?\d{1,3}$/)),
  })
  .map(({ sign, whole, fraction, exponent }) => sign + whole + fraction + exponent)

/** The value as a fraction of integers: an oracle that shares nothing with the code. */
function valueOf(number: string): readonly [bigint, bigint] {
  const [base = '', exponent = '0'] = number.toLowerCase().split('e')
  const [whole = '', fraction = ''] = base.split('.')
  const power = Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  return power < 0 ? [digits, 10n ** BigInt(-power)] : [digits * 10n ** BigInt(power), 1n]
}

function isSame(a: string, b: string): boolean {
  const [[top, bottom], [otherTop, otherBottom]] = [valueOf(a), valueOf(b)]
  return top * otherBottom === otherTop * bottom
}

// Guarantee: an exact number says what the double's text says, and no other number does.
test('a number is exact exactly when its value is that of the text of its double', () => {
  fc.assert(
    fc.property(anyNumber, (number) => {
      const double = Number(number)
      expect(isExactNumber(number)).toBe(Number.isFinite(double) && isSame(number, String(double)))
    }),
    { numRuns: 3_000 },
  )
})

test('every double is exact as JavaScript writes it, and every number of at most 15 digits is', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
      expect(isExactNumber(JSON.stringify(double))).toBe(true)
    }),
  )
  fc.assert(
    fc.property(fc.stringMatching(/^[1-9]\d{0,14}$/), fc.nat(14), (digits, point) => {
      const at = Math.min(point, digits.length - 1)
      expect(isExactNumber(at === 0 ? digits : `${digits.slice(0, -at)}.${digits.slice(-at)}`)).toBe(true)
    }),
  )
})
