import type pg from 'pg'
import type { RefusedEvent } from '../../store/queries/add-refused-events.ts'
import { addLiveEvents, type ExpectedMarks, FEW_EVENTS } from '../../store/events-table.ts'
import { sqlState } from '../../store/transaction.ts'
import type { Instant } from '../../core/time/instant.ts'
import { type Candidate, compareKeys, resultOfNew } from './commit-events.ts'
import type { EventResult } from './ingest-types.ts'
import { isRefused, type ReadEvent } from './read-delivery.ts'

/** A key is taken, the gate is held for too long, or two transactions have waited for each other. */
const TAKE_THE_LONG_WAY = /^(?:23505|55P03|40P01)$/

/**
 * The short way for few events of which nothing has to be noted or looked up, as nearly all are: one statement.
 * @param suspects events that may be stored already
 * @returns one result for each event, in order, and the database's clock; undefined: nothing is stored, and the long way
 *   has to be taken
 */
export async function storeLive(
  pool: pg.Pool,
  expected: ExpectedMarks,
  reads: readonly (ReadEvent | RefusedEvent)[],
  suspects: ReadonlySet<Candidate>,
): Promise<{ readonly results: readonly EventResult[]; readonly now: Instant } | undefined> {
  if (reads.length === 0 || reads.length > FEW_EVENTS || suspects.size > 0) return undefined
  if (!reads.every(isPlain)) return undefined
  const sorted = reads.toSorted(compareKeys)
  if (sorted.some((event, index) => index > 0 && compareKeys(sorted[index - 1]!, event) === 0))
    return undefined
  try {
    const now = await addLiveEvents(pool, sorted, expected)
    return now === undefined ? undefined : { results: reads.map(resultOfNew), now }
  } catch (error) {
    if (TAKE_THE_LONG_WAY.test(sqlState(error) ?? '')) return undefined
    throw error
  }
}

function isPlain(read: ReadEvent | RefusedEvent): read is ReadEvent {
  return !isRefused(read) && read.ending === undefined && read.assessment.outcome === 'accepted'
}
