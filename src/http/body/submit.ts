import type {
  Delivered,
  EventResult,
  Ingest,
  Outcome,
  SubmitOptions,
} from '../../flows/ingest/ingest-types.ts'
import { HttpProblem } from '../api/problem.ts'

/** Store events. Throws 429 or 503 when nothing of them was stored, or it is not known. */
export async function submit(
  ingest: Pick<Ingest, 'submit'>,
  events: readonly Delivered[],
  { boundAccount, writer, sender }: SubmitOptions & { readonly boundAccount: string | undefined },
): Promise<readonly EventResult[]> {
  const submitted = await ingest.submit(events, boundAccount, { writer, sender })
  if (submitted.ok) return submitted.results
  const { code, detail, retryAfterSeconds } = submitted
  throw new HttpProblem(code, detail, { 'retry-after': String(retryAfterSeconds) })
}

export function countOf(results: readonly EventResult[]): Record<Outcome, number> {
  const counts: Record<Outcome, number> = { accepted: 0, duplicate: 0, conflict: 0, held: 0, rejected: 0 }
  for (const { outcome } of results) counts[outcome]++
  return counts
}
