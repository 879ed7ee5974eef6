import { countOf } from '../../core/present/readable-text.ts'
import type { ShownSummary } from '../../core/present/void-summary-lines.ts'
import { addSummaries } from '../../core/present/void-summary.ts'
import { type Progress, showProgress } from '../terminal/progress.ts'
import type { RequestTo } from '../client/api-types.ts'
import type { ServerApi } from '../client/server-api.ts'

/** An order with the reason that the command line asks for. */
export type VoidOrderBody = RequestTo<'POST /v1/voids'>['json'] & { readonly reason: string }

/**
 * Send an order part by part, until all is done or the signal says to stop: then between two parts, so that nothing is
 * half done. What was voided stays so, and the same order goes on from there.
 */
export async function sendVoidOrder(
  api: ServerApi,
  body: VoidOrderBody,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<{ readonly result: ShownSummary; readonly isWhole: boolean }> {
  let result: ShownSummary | undefined
  let progress: Progress = { share: undefined, text: countOf(0, 'event') }
  const shown = showProgress(() => progress)
  try {
    for (let cursor: string | undefined; ;) {
      const query = { dryRun: dryRun ? ('true' as const) : ('false' as const), cursor }
      const { next, doneUntil, ...part } = await api.json('POST /v1/voids', { query, json: body })
      result = result === undefined ? part : addResults(result, part, dryRun)
      const text = countOf(result.events, 'event')
      progress = { share: doneUntil === null ? undefined : shareOf(body, doneUntil), text }
      if (next === null) return { result, isWhole: true }
      if (signal.aborted) return { result, isWhole: false }
      cursor = next
    }
  } finally {
    shown.end()
  }
}

/** What levels change is known of each part that was done; of a dry run the last part says it for all. */
function addResults(a: ShownSummary, b: ShownSummary, dryRun: boolean): ShownSummary {
  const counts = { events: a.events + b.events, alreadyVoided: a.alreadyVoided + b.alreadyVoided }
  const sums = addSummaries(a, b)
  return { ...a, ...sums, ...counts, storage: dryRun ? b.storage : sums.storage }
}

/** How far in its range of time an order is. */
function shareOf({ from, to }: VoidOrderBody, doneUntil: string): number | undefined {
  const [start, end, at] = [from, to, doneUntil].map((text) => Date.parse(text ?? ''))
  const share = (at! - start!) / (end! - start!)
  return Number.isFinite(share) ? Math.min(Math.max(share, 0), 1) : undefined
}
