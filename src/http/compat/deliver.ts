import { isObject } from '../../core/ingest/read-usage.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import type { Delivered, EventResult, Ingest, Outcome } from '../../flows/ingest/ingest-types.ts'
import type { Key } from '../../flows/keys/key-scopes.ts'
import { countOutcomes } from '../metrics.ts'
import { HttpProblem } from '../api/problem.ts'

/** Store what came by a foreign protocol, as POST /v1/events does. Throws 429 or 503. */
export async function deliver(
  events: readonly Delivered[],
  key: Key | undefined,
  ingest: Ingest,
): Promise<readonly EventResult[]> {
  const submitted = await ingest.submit(events, key?.account, { sender: key?.id })
  if (!submitted.ok) {
    const { code, detail, retryAfterSeconds } = submitted
    throw new HttpProblem(code, detail, { 'retry-after': String(retryAfterSeconds) })
  }
  const counts: Record<Outcome, number> = { accepted: 0, duplicate: 0, conflict: 0, held: 0, rejected: 0 }
  for (const { outcome } of submitted.results) counts[outcome]++
  countOutcomes(counts)
  return submitted.results
}

/** An event of a foreign form as a CloudEvent. Without a time, that of its receipt counts. */
export function compatEvent(event: { readonly [name: string]: Json }): Delivered {
  const isUntimed = event['time'] === undefined || event['time'] === null
  return isUntimed ? { raw: event, untimed: true } : { raw: event }
}

/** As `compatEvent`, of any JSON. */
export function maybeUntimed(delivered: Delivered): Delivered {
  if ('unreadable' in delivered || !isObject(delivered.raw)) return delivered
  return compatEvent(delivered.raw)
}

/** Is something wrong with it that the sender has to know of? Held events are not lost, and not wrong. */
export function isRefusal({ outcome }: EventResult): boolean {
  return outcome === 'rejected' || outcome === 'conflict'
}
