import { expect, test } from 'vitest'
import { voidSummaryLines } from './void-summary-lines.ts'

const summary = {
  account: 'acme',
  dryRun: true,
  events: 2,
  voided: 2,
  alreadyVoided: 0,
  held: 0,
  duplicates: 0,
  levels: 1,
  storage: '-0.5',
  givenBack: '-0.000005',
  notBilled: '0',
  currency: 'USD',
}
function lines(changed: object): readonly string[] {
  return voidSummaryLines({ ...summary, ...changed }).map(({ text }) => text)
}

test('what levels change is a line of its own, beside the two sums', () => {
  expect(lines({})).toEqual([
    '2 events of acme: 2 would be voided',
    '  1 is a level of stored data: the storage of its hours is computed again',
    'Given back    0.000005 USD, in the open hour',
    'Never billed  0 USD',
    'Stored data   0.5 USD given back too, for the hours that are settled',
  ])
})

test.each([
  ['more', { storage: '0.25' }, 'Stored data   0.25 USD more is charged, for the hours that are settled'],
  ['nothing', { storage: '0' }, 'Stored data   0 USD given back too, for the hours that are settled'],
  ['not known', { storage: null }, 'Stored data   in neither sum: what it comes to is on the next bill'],
  ['no levels', { levels: 0, storage: '0' }, 'Never billed  0 USD'],
])('the last line where it is %s', (_name, changed, line) => {
  expect(lines(changed).at(-1)).toBe(line)
})
