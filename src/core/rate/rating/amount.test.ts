import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../../test/table.ts'
import { BOOK } from '../../../../test/unit/oracle-book.ts'
import { decimal } from '../../money/decimal.ts'
import type { KnownTerm } from './assess.ts'
import { price } from './price.ts'

/**
 * R12, as finance reads it: used x price / per = amount, one exact fraction. If it is a whole number of 10^-18, the
 * amount has all its decimals; else it is rounded to 12. A tie never has to be decided: it has 13 decimals, so it ends.
 */
const rate = BOOK.rates.find(({ item }) => item === 'RenderPage')!

function amountOf(used: string, unitPrice: string, per: string): string {
  const { from } = rate.terms[0]!
  const term: KnownTerm = { from, kind: 'price', unitPrice: decimal(unitPrice), illustrative: false }
  return price({ ...rate, per: decimal(per) }, term, decimal(used)).amount
}

const AMOUNTS = table<'used' | 'price' | 'per' | 'amount' | 'because'>(`
  used              | price          | per              | amount               | because
  1000              | 0.028          | 1000             | 0.028                | one price for 1,000 calls
  1                 | 0.028          | 1000             | 0.000028             | a single call of them
  1234567           | 7.0754717      | 1000             | 8735.1438702539      | every digit of the product
  613822            | 0.0084         | 60000            | 0.08593508           | by the minute: 10.2303666… minutes never end, their amount does
  1                 | 0.0084         | 60000            | 0.00000014           | one millisecond of it
  1                 | 0.01           | 60000            | 0.000000166667       | 0.000000166666… never ends
  4                 | 0.01           | 60000            | 0.000000666667       | 0.000000666666…
  2                 | 0.01           | 60000            | 0.000000333333       | 0.000000333333…
  3                 | 0.01           | 60000            | 0.0000005            | three times a third of it ends
  1                 | 1              | 3600000          | 0.000000277778       | by the hour: 0.000000277777…
  9                 | 1              | 3600000          | 0.0000025            | nine milliseconds of it end
  1                 | 0.07           | 3                | 0.023333333333       | 0.023333333333…
  2                 | 0.07           | 3                | 0.046666666667       | 0.046666666666…
  1                 | 0.07           | 7                | 0.01                 | 1 / 7 never ends, 0.07 / 7 does
  1                 | 1              | 7                | 0.142857142857       | 0.142857142857142…
  3600000000000000  | 0.0000315      | 3600000000000000 | 0.0000315            | a GB for an hour
  45123456789000000 | 0.0000315      | 3600000000000000 | 0.00039483024690375  | 17 decimals: all of them
  628818122919783   | 0.00003        | 3600000000000000 | 0.000005240151       | 0.000005240151024331525 has 21
  1                 | 0.0000315      | 3600000000000000 | 0                    | a byte for a millisecond: 8.75 x 10^-21
  1                 | 1              | 1024             | 0.0009765625         | a byte by the KiB
  1                 | 1              | 262144           | 0.000003814697265625 | 18 decimals: all of them
  1                 | 1              | 524288           | 0.000001907349       | 0.0000019073486328125 has 19
  123456789         | 0.01           | 1073741824       | 0.001149780946       | bytes by the GiB: 30 decimals
  1                 | 0.000000000001 | 1000000          | 0.000000000000000001 | 10^-18 is the least that costs anything
  1                 | 0.000000000001 | 10000000         | 0                    | 10^-19
  0.000001          | 0.000000000001 | 1                | 0.000000000000000001 | 10^-18, of a quantity that is no whole number
  0.0000001         | 0.000000000001 | 1                | 0                    | 10^-19
  1                 | 0.5            | 1000000000000    | 0.0000000000005      | a tie between 0 and 0.000000000001 ends: 13 decimals
  3                 | 0.5            | 1000000000000    | 0.0000000000015      | a tie between two amounts ends, too
  0.00000050000001  | 0.000001       | 1                | 0.000000000001       | above the tie, with 20 decimals
  0.00000049999999  | 0.000001       | 1                | 0                    | below it
  999999999999999999999999999999 | 7.0754717 | 1000     | 7075471699999999999999999999.9929245283 | 30 digits
  999999999999999999999999999999.999999999999 | 0.07 | 3 | 23333333333333333333333333333.33333333333331 | 42 digits of a quantity
  999999999999999999999999999999 | 1 | 7 | 142857142857142857142857142857 | divisible, whatever its size
  999999999999999999999999999998 | 1 | 7 | 142857142857142857142857142856.857142857143 | never ends, whatever its size
  100               | 0              | 3                | 0                    | a price of 0
  0                 | 0.07           | 3                | 0                    | nothing used
`)

for (const { used, price: unitPrice, per, amount, because } of AMOUNTS) {
  test(`${used} x ${unitPrice} / ${per} = ${amount}: ${because}`, () => {
    expect(amountOf(used, unitPrice, per)).toBe(amount)
    // What a correction gives back is what was billed, to the last digit.
    expect(amountOf(opposite(used), unitPrice, per)).toBe(opposite(amount))
  })
}

function opposite(text: string): string {
  return /^[0.]+$/.test(text) ? text : `-${text}`
}

/** A decimal of the oracle: how many 10^-48. Amounts and products of 12 and 12 decimals are whole numbers of these. */
const PLACES = 48
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(PLACES, '0'))
}

const anyUsed = fc.oneof(
  fc.bigInt(0n, 1_000_000n).map(String),
  fc.bigInt(0n, 10n ** 30n - 1n).map(String),
  fc.tuple(fc.bigInt(0n, 10n ** 30n - 1n), fc.stringMatching(/^\d{1,12}$/)).map(([a, b]) => `${a}.${b}`),
)
const anyPrice = fc.oneof(
  fc.stringMatching(/^\d{1,12}$/).map((digits) => `0.${digits}`),
  fc.tuple(fc.bigInt(0n, 10n ** 6n), fc.stringMatching(/^\d{1,12}$/)).map(([a, b]) => `${a}.${b}`),
)
const anyPer = fc.oneof(
  fc.constantFrom('1', '3', '7', '1000', '60000', '3600000', '1024', '1073741824', '1000000000000'),
  fc.constantFrom('3600000000', '3600000000000000', '3865470566400000', '3958241859993600000'),
  fc.bigInt(1n, 10n ** 30n - 1n).map(String),
)

// Oracle: integers of its own. The fraction is n / d; both are whole numbers, so nothing is lost before it is judged.
test('an amount is its fraction if that is a whole number of 10^-18, and else the nearest of 10^-12', () => {
  let [exact, rounded] = [0, 0]
  fc.assert(
    fc.property(anyUsed, anyPrice, anyPer, (used, unitPrice, per) => {
      const amount = scaled(amountOf(used, unitPrice, per))
      const n = scaled(used) * scaled(unitPrice)
      const d = BigInt(per) * 10n ** BigInt(PLACES)
      if ((n * 10n ** 18n) % (d * 10n ** BigInt(PLACES)) === 0n) {
        exact += 1
        expect(amount * d).toBe(n)
      } else {
        rounded += 1
        const difference = amount * d - n
        expect(amount % 10n ** BigInt(PLACES - 12)).toBe(0n)
        // At most half of 10^-12, and never exactly that: a tie ends.
        expect(2n * (difference < 0n ? -difference : difference) < d * 10n ** BigInt(PLACES - 12)).toBe(true)
      }
    }),
    { numRuns: 2_000 },
  )
  expect([exact > 100, rounded > 100]).toEqual([true, true])
})

test('the amount of -q is minus the amount of q', () => {
  fc.assert(
    fc.property(anyUsed, anyPrice, anyPer, (used, unitPrice, per) => {
      const amount = amountOf(used, unitPrice, per)
      expect(amountOf(opposite(used), unitPrice, per)).toBe(opposite(amount))
    }),
  )
})

// Lines are rounded one by one, so what is split over lines may differ from the whole, and by no more than this.
test('usage split over lines costs what it costs together, within half of 10^-12 for each amount', () => {
  const anyWhole = fc.bigInt(0n, 10n ** 20n)
  fc.assert(
    fc.property(
      fc.array(anyWhole, { minLength: 2, maxLength: 5 }),
      anyPrice,
      anyPer,
      (parts, unitPrice, per) => {
        const whole = parts.reduce((sum, part) => sum + part, 0n)
        const apart = parts.reduce((sum, part) => sum + scaled(amountOf(String(part), unitPrice, per)), 0n)
        const difference = apart - scaled(amountOf(String(whole), unitPrice, per))
        const bound = (BigInt(parts.length + 1) * 10n ** BigInt(PLACES - 12)) / 2n
        expect(difference <= bound && -difference <= bound).toBe(true)
      },
    ),
  )
  expect(amountOf('1', '1', '3')).toBe('0.333333333333')
  expect(amountOf('3', '1', '3')).toBe('1')
})
