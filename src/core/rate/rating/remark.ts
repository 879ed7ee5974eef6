import type { UsageEvent } from '../../ingest/event.ts'
import type { Usage } from '../../ingest/usage.ts'
import type { Assessment } from './assess.ts'

/** What the sender of an accepted event should know. Codes are public API: add, never rename (docs/errors.md). */
export interface Remark {
  readonly code: 'event/unused_unit' | 'event/other_component'
  readonly detail: string
}

/** No mistake by itself, but the sender may mean something else; undefined where there is nothing to say. */
export function remarkOn({ usage }: Pick<UsageEvent, 'usage'>, assessment: Assessment): Remark | undefined {
  if (assessment.outcome !== 'accepted' || usage === undefined || usage.component === 'storage')
    return undefined
  if (assessment.noFee === 'other_component') {
    const isRequest = usage.component === 'request'
    const [only, own] = isRequest ? ['processing', 'a request'] : ['requests', 'processing']
    const detail = `Accepted without a fee: ${usage.operation} is charged for ${only} only, and this event reports ${own}. If it should have a fee, list the operation under a ${usage.component} item of the price book.`
    return { code: 'event/other_component', detail }
  }
  const [unused] = unusedUnits(usage, assessment)
  if (unused === undefined) return undefined
  const detail = `Accepted. data.quantities.${unused} is charged by no rate: leave it out, or check its name.`
  return { code: 'event/unused_unit', detail }
}

/** Units that an event measured and that no rate charges. None for an operation without a fee. */
function unusedUnits(
  usage: Usage,
  { charges }: Extract<Assessment, { outcome: 'accepted' }>,
): readonly string[] {
  if (usage.component !== 'processing' || charges.length === 0) return []
  return [...usage.quantities.keys()].filter((unit) => !charges.some(({ rate }) => rate.unit === unit))
}
