import { expect, test } from 'vitest'
import { groupBy } from './group-by.ts'
import { invariant, InvariantViolation } from './invariant.ts'

test('groups keep the order of first members, and each group the order given', () => {
  const groups = groupBy(['b1', 'a1', 'b2', 'a2'], (text) => text[0])
  expect([...groups]).toEqual([
    ['b', ['b1', 'b2']],
    ['a', ['a1', 'a2']],
  ])
  expect([...groupBy([], String)]).toEqual([])
})

test('a broken invariant stops the flow, with what was expected', () => {
  expect(() => invariant(false, 'lines add up')).toThrow(new InvariantViolation('lines add up'))
  expect(() => invariant(true, 'lines add up')).not.toThrow()
  expect(new InvariantViolation('a').name).toBe('InvariantViolation')
})
