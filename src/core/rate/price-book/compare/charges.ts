import type { Hour } from '../../../time/hour.ts'
import type { PriceBook } from '../price-book.ts'
import { forgotten, toPastChange, withFee } from './rate-change.ts'
import { Findings } from './findings.ts'
import { type Group, groupsOf } from './groups.ts'
import type { PastChange } from './past-change.ts'
import { sweep } from './sweep.ts'
import { FIRST_HOUR } from './timeline.ts'

/**
 * What a new version would charge otherwise for requests and processing of hours that have begun: what
 * `comparePriceBooks` says of operations. At most 100.
 */
export function changedCharges(old: PriceBook, next: PriceBook, firstOpenHour: Hour): readonly PastChange[] {
  const findings = new Findings()
  for (const component of ['request', 'processing'] as const) {
    const groups = groupsOf(component, old, next)
    const [free, others] = [groups.filter(isNoLongerFree), groups.filter((group) => !isNoLongerFree(group))]
    for (const group of free) compareFree(group, findings)
    sweep(others, firstOpenHour, findings)
  }
  return findings.all.map((found) => toPastChange(found, next, firstOpenHour))
}

/** Known without a fee of the component in the old book, and not said to be so in the new one. */
function isNoLongerFree({ old, isKnown, isFree }: Group): boolean {
  return old.length === 0 && !(isKnown && isFree)
}

/** What has no fee keeps none at all hours, however late a rate begins: before it, usage would be held. */
function compareFree({ operations, next, isKnown }: Group, findings: Findings): void {
  if (!isKnown) findings.add(forgotten(operations, FIRST_HOUR))
  for (const rate of next) findings.add(withFee(rate, operations, FIRST_HOUR))
}
