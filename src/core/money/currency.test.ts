import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { MINOR_UNITS, minorUnitsOf } from './currency.ts'

for (const { currency, decimals, because } of table<'currency' | 'decimals' | 'because'>(`
  currency | decimals | because
  USD      | 2        | cents
  EUR      | 2        | also for Bulgaria since 2026
  CNY      | 2        | jiao are not the minor unit, fen are
  JPY      | 0        | no minor unit is in use
  KRW      | 0        | likewise
  ISK      | 0        | Intl agrees only in newer versions
  KWD      | 3        | a dinar has 1,000 fils
  CLF      | 4        | a unit of account
  XCG      | 2        | has replaced ANG in 2025
  IDR      | 2        | ISO 4217 counts sen; Intl shows none
`)) {
  test(`${currency} has ${decimals} decimals: ${because}`, () => {
    expect(minorUnitsOf(currency)).toBe(+decimals)
  })
}

test('the list has the 165 currencies and funds of 2026 that have a minor unit, each once', () => {
  expect(MINOR_UNITS.size).toBe(165)
  for (const code of MINOR_UNITS.keys()) expect(code).toMatch(/^[A-Z]{3}$/)
})

test('withdrawn codes, metals, test codes and property names are no currencies', () => {
  const others = 'ANG BGN CUC HRK SLL ZWL XAU XDR XTS XXX usd constructor'.split(' ')
  expect(others.filter((code) => minorUnitsOf(code) !== undefined)).toEqual([])
})
