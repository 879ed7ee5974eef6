import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { nearest } from './nearest.ts'

const KEYS = ['operations', 'unit', 'per', 'prices', 'price', 'billedStatuses', 'until', 'from']

for (const { word, meant } of table<'word' | 'meant'>(`
  word           | meant
  operation      | operations
  Operations     | operations
  opreations     | operations
  units          | unit
  pre            | per
  pirce          | price
  cost           | none
  billedstatuses | billedStatuses
  fro            | from
  form           | from
  description    | none
  __proto__      | none
`)) {
  test(`${word} was meant as ${meant}`, () => {
    expect(nearest(word, KEYS) ?? 'none').toBe(meant)
  })
}

test('a very long word is compared with nothing', () => {
  expect(nearest('a'.repeat(1_000_000), ['a'.repeat(1_000_000)])).toBeUndefined()
})
