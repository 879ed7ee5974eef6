import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { decimal, divideToAmount, isZero, times } from './decimal.ts'
import { fewestUnits } from './fewest-units.ts'

for (const { price, per, first, all, because } of table<'price' | 'per' | 'first' | 'all' | 'because'>(`
  price          | per        | first | all   | because
  0.028          | 1000       | 1     | 1     | each unit costs something
  0.000000000001 | 1000000    | 1     | 1     | 10^-18, which is exact
  0.000000000001 | 10000000   | 10    | 5000000 | 10^-19: ten are exact, others are rounded to nothing up to 5 x 10^-13
  0.0001         | 1073741824 | 6     | 6     | a byte by the GiB: 9.3 x 10^-14
  0.01           | 1073741824 | 1     | 1     | 9.3 x 10^-12 is rounded, and not to nothing
  0.0000001      | 3600000    | 9     | 18    | a millisecond by the hour: nine of them end
  0.0000000001   | 3          | 1     | 1     | 3.3 x 10^-11
  0.000000000001 | 3          | 2     | 2     | 3.3 x 10^-13 is nothing, 6.7 x 10^-13 is 10^-12
  0.000000000001 | 2          | 1     | 1     | a tie ends
`)) {
  test(`${price} for ${per}: ${first} cost something, and all from ${all} on. ${because}`, () => {
    expect(fewestUnits(decimal(price), decimal(per))).toEqual({ first: BigInt(first), all: BigInt(all) })
  })
}

// Oracle: every number of units, one by one, priced as a line is.
test('no smaller number costs anything, and every larger one does', () => {
  const anyPrice = fc.integer({ min: 1, max: 5_000 }).map((n) => `0.${String(n).padStart(12, '0')}`)
  const anyPer = fc.oneof(
    fc.integer({ min: 1, max: 5_000_000 }),
    fc.constantFrom(1024, 1048576, 3600000, 1000000),
  )
  fc.assert(
    fc.property(anyPrice, anyPer, (price, number) => {
      const per = decimal(String(number))
      const costs = (units: bigint) =>
        !isZero(divideToAmount(times(decimal(String(units)), decimal(price)), per))
      const { first, all } = fewestUnits(decimal(price), per)
      const [below, from] = [first < 300n ? first : 300n, all]
      for (let units = 1n; units < below; units++) expect([units, costs(units)]).toEqual([units, false])
      expect([costs(first), costs(all), first <= all]).toEqual([true, true, true])
      for (let units = from; units < from + 100n; units++)
        expect([units, costs(units)]).toEqual([units, true])
      // The one before costs nothing, unless it ends.
      if (all > first)
        expect([all - 1n, costs(all - 1n) && (all - 1n) % first !== 0n]).toEqual([all - 1n, false])
    }),
  )
})
