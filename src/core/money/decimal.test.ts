import { Decimal as Oracle } from 'decimal.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import * as money from './decimal.ts'
import { decimal, plain } from './decimal.ts'

// An independent implementation with room for every digit (its default would round to 20).
const Exact = Oracle.clone({ precision: 1000, toExpNeg: -9e15, toExpPos: 9e15 })

/** Texts of up to 30 digits before and 12 after the point, with a sign, of every length. */
const anyDecimal = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt(0n, 10n ** 30n - 1n),
    fc.integer({ min: 0, max: 30 }),
    fc.stringMatching(/^\d{0,12}$/),
  )
  .map(([sign, whole, digits, fraction]) => {
    const before = String(whole % 10n ** BigInt(digits || 1))
    return `${sign}${before}${fraction && '.'}${fraction}`
  })

for (const { text, isPlain, because } of table<'text' | 'isPlain' | 'because'>(`
  text                       | isPlain | because
  0                          | yes     |
  -12.50                     | yes     | trailing zeros do no harm
  0.000000000001             | yes     |
  1e3                        | no      | an exponent is not plain
  1E3                        | no      |
  +1                         | no      | no sign but -
  --1                        | no      |
  01                         | no      | no leading zero: is it octal?
  .5                         | no      | a digit before the point
  5.                         | no      | a digit after the point
  1.2.3                      | no      |
  1,5                        | no      | a comma means two things
  1_000                      | no      |
  0x10                       | no      |
  NaN                        | no      |
  Infinity                   | no      |
  -                          | no      |
                             | no      | the empty text
  ١                          | no      | other digits than 0 to 9
`)) {
  test(`plain decimal? "${text}": ${isPlain}. ${because}`, () => {
    expect(money.isPlain(text)).toBe(isPlain === 'yes')
  })
}

test('white space and line ends are not part of a plain decimal', () => {
  for (const text of [' 1', '1 ', '1\n', '\t1', '1\u00a0']) expect(money.isPlain(text)).toBe(false)
})

test('a quantity has at most 30 digits before the point and 12 after it', () => {
  expect(money.fitsDigits('9'.repeat(30))).toBe(true)
  expect(money.fitsDigits(`-${'9'.repeat(30)}.${'9'.repeat(12)}`)).toBe(true)
  expect(money.fitsDigits('9'.repeat(31))).toBe(false)
  expect(money.fitsDigits(`0.${'1'.repeat(13)}`)).toBe(false)
})

for (const { value, shortest } of table<'value' | 'shortest'>(`
  value                           | shortest
  1.500                           | 1.5
  100                             | 100
  -0                              | 0
  0.000                           | 0
  -0.000                          | 0
  0.000000000001                  | 0.000000000001
  -0.0000000000005                | -0.0000000000005
  123456789012345678901234567890  | 123456789012345678901234567890
`)) {
  test(`the shortest plain text of ${value} is ${shortest}`, () => {
    expect(plain(decimal(value))).toBe(shortest)
  })
}

// The two rows of each pair differ by what stands after the tie, or by which neighbour is even.
for (const { a, b, quotient, because } of table<'a' | 'b' | 'quotient' | 'because'>(`
  a               | b    | quotient        | because
  1               | 1000 | 0.001           | exact
  10              | 2.5  | 4               | exact
  1               | 3    | 0.333333333333  | below the half
  2               | 3    | 0.666666666667  | above the half
  0.0000000000005 | 1    | 0               | a tie goes to the even neighbour 0
  0.0000000000015 | 1    | 0.000000000002  | a tie goes to the even neighbour 2
  0.0000000000025 | 1    | 0.000000000002  | a tie goes to the even neighbour 2
  0.00000000000250000001 | 1 | 0.000000000003 | above the tie, however little
  -0.0000000000025 | 1   | -0.000000000002 | the same below zero
  -0.0000000000035 | 1   | -0.000000000004 | the same below zero
  -0.0000000000001 | 1   | 0               | never -0
  0               | 7    | 0               |
`)) {
  test(`${a} / ${b} = ${quotient}, half-even at 12 decimals: ${because}`, () => {
    expect(plain(money.divideRounded(decimal(a), decimal(b)))).toBe(quotient)
  })
}

// Guarantee: sums, differences and products are exact to the last digit.
test('plus, minus and times lose no digit', () => {
  fc.assert(
    fc.property(anyDecimal, anyDecimal, (a, b) => {
      const [x, y] = [decimal(a), decimal(b)]
      expect(plain(money.plus(x, y))).toBe(new Exact(a).plus(b).toString().replace(/^-0$/, '0'))
      expect(plain(money.minus(x, y))).toBe(new Exact(a).minus(b).toString().replace(/^-0$/, '0'))
      expect(plain(money.times(x, y))).toBe(new Exact(a).times(b).toString().replace(/^-0$/, '0'))
      expect(plain(money.negated(x))).toBe(new Exact(a).neg().toString().replace(/^-0$/, '0'))
    }),
  )
})

// Guarantee: a pricing quantity is rounded half-even at 12 decimals, whatever is divided by whatever.
test('division agrees with a division of 1000 digits, rounded half-even once', () => {
  const ties = fc.bigInt(-(10n ** 15n), 10n ** 15n).map((n) => plain(times5e13(n)))
  fc.assert(
    fc.property(fc.oneof(anyDecimal, ties), fc.oneof(anyDecimal, fc.constantFrom('1', '-1000')), (a, b) => {
      fc.pre(!money.isZero(decimal(b)))
      const expected = new Exact(a).div(b).toDecimalPlaces(12, Oracle.ROUND_HALF_EVEN)
      expect(plain(money.divideRounded(decimal(a), decimal(b)))).toBe(
        expected.toString().replace(/^-0$/, '0'),
      )
    }),
  )
})

/** n x 0.5e-12: every second one is a tie. */
function times5e13(n: bigint): money.Decimal {
  return money.times(decimal(String(n)), decimal('0.0000000000005'))
}

// Guarantee: the order of values is that of numbers, not of texts.
test('comparisons agree with the oracle', () => {
  fc.assert(
    fc.property(anyDecimal, anyDecimal, (a, b) => {
      expect(money.compare(decimal(a), decimal(b))).toBe(new Exact(a).comparedTo(b))
      expect(money.isNegative(decimal(a))).toBe(new Exact(a).lt(0))
      expect(money.isZero(decimal(a))).toBe(new Exact(a).isZero())
      expect(money.isWhole(decimal(a))).toBe(new Exact(a).isInteger())
    }),
  )
})

test('a sum takes any number of values and starts at 0', () => {
  expect(plain(money.sum([]))).toBe('0')
  expect(plain(money.sum(['0.1', '0.2', '-0.3'].map(decimal)))).toBe('0')
  expect(plain(money.sum([money.ONE, money.ZERO, decimal('9007199254740993')]))).toBe('9007199254740994')
})

test('a JavaScript number can neither enter nor leave', () => {
  expect(() => decimal(0.1 as unknown as string)).toThrow(/Invalid value/)
  expect(() => Number(decimal('0.1'))).toThrow(/valueOf disallowed/)
})
