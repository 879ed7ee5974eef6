import type { RefusedEvent } from '../../store/refusals.ts'
import { addLiveEvents, FEW_EVENTS } from '../../store/events-table.ts'
import { sqlState } from '../../store/transaction.ts'
import { compareKeys, resultOfNew } from './commit-events.ts'
import type { EventResult } from './ingest-types.ts'
import { isRefused, type ReadEvent } from './read-delivery.ts'
import type { StoreGroupContext } from './store-group.ts'

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * The short way for few events of which nothing has to be noted or looked up, as nearly all are: one statement.
 * @returns one result for each event, in order; undefined: nothing is stored, and the long way has to be taken
 * @throws what the database fails with otherwise, 23505 for a repeat that is no suspect: nothing is stored
 */
export async function storeLive(
  { pool, suspects, onClock, ...expected }: StoreGroupContext,
  reads: readonly (ReadEvent | RefusedEvent)[],
): Promise<readonly EventResult[] | undefined> {
  if (reads.length === 0 || reads.length > FEW_EVENTS || suspects.size > 0) return undefined
  if (!reads.every(isPlain)) return undefined
  const sorted = reads.toSorted(compareKeys)
  const isTwice = sorted.some((event, index) => index > 0 && compareKeys(sorted[index - 1]!, event) === 0)
  if (isTwice) return undefined
  try {
    const now = await addLiveEvents(pool, sorted, expected)
    if (now === undefined) return undefined
    onClock(now)
    return reads.map(resultOfNew)
  } catch (error) {
    // The long way takes the gate from who holds it too long.
    if (sqlState(error) === LOCK_NOT_AVAILABLE) return undefined
    throw error
  }
}

function isPlain(read: ReadEvent | RefusedEvent): read is ReadEvent {
  return !isRefused(read) && read.ending === undefined && read.assessment.outcome === 'accepted'
}
