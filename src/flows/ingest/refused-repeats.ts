import { sameContent } from '../../core/ingest/event.ts'
import type { Sql } from '../../store/query.ts'
import { findKnown } from './find-known.ts'
import type { ReadRefusal } from './read-delivery.ts'

/**
 * Which refusals are of events that are stored already, with the same content: they were valid when they came first,
 * before the price book or the account was changed, and a retry of them is harmless.
 */
export async function findRefusedRepeats(
  sql: Sql,
  refused: readonly ReadRefusal[],
): Promise<ReadonlySet<ReadRefusal>> {
  const refusals = new Map(refused.flatMap((refusal) => (refusal.event ? [[refusal.event, refusal]] : [])))
  const repeats = new Set<ReadRefusal>()
  for (const [event, stored] of await findKnown(sql, [...refusals.keys()])) {
    if (sameContent(stored, event)) repeats.add(refusals.get(event)!)
  }
  return repeats
}
