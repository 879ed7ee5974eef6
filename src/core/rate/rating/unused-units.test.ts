import { expect, test } from 'vitest'
import type { ProcessingUsage } from '../../ingest/usage.ts'
import { ONE } from '../../money/decimal.ts'
import type { Assessment, Charge } from './assess.ts'
import { unusedUnits } from './unused-units.ts'

const usage = {
  component: 'processing',
  quantities: new Map([
    ['call', ONE],
    ['cal', ONE],
  ]),
} as unknown as ProcessingUsage
const byCall = { rate: { unit: 'call' } } as Charge
const accepted = (charges: readonly Charge[]): Assessment => ({ outcome: 'accepted', charges })

test('a unit that no rate charges is named', () => {
  expect(unusedUnits(usage, accepted([byCall]))).toEqual(['cal'])
})

test('nothing is remarked where there is no fee, where usage is held, and of other usage', () => {
  expect(unusedUnits(usage, accepted([]))).toEqual([])
  expect(unusedUnits(usage, { outcome: 'held', code: 'held/price_unknown', detail: '' })).toEqual([])
  expect(unusedUnits(undefined, accepted([byCall]))).toEqual([])
})
