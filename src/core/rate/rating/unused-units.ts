import type { Usage } from '../../ingest/usage.ts'
import type { Assessment } from './assess.ts'

/**
 * Units that an event measured and that no rate charges: no mistake by itself, but worth a remark to the sender, who
 * may have misspelt the unit of another rate. None for an operation without a fee, and for what is held.
 */
export function unusedUnits(usage: Usage | undefined, assessment: Assessment): readonly string[] {
  if (usage?.component !== 'processing' || assessment.outcome !== 'accepted') return []
  const { charges } = assessment
  if (charges.length === 0) return []
  return [...usage.quantities.keys()].filter((unit) => !charges.some(({ rate }) => rate.unit === unit))
}
