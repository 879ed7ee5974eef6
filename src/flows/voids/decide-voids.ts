import type { UsageEvent } from '../../core/ingest/event.ts'
import { reread } from '../../core/ingest/reread.ts'
import { assess } from '../../core/rate/rating/assess.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { KeyedEvent } from '../../store/usage-events.ts'
import type { EventKey } from '../../store/key-columns.ts'
import { findReleasedEvents } from '../../store/releases.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { run, type Sql } from '../../store/query.ts'
import { lateCycle } from '../../core/time/late-cycle.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { eventsAt } from '../settle/adjustments.ts'
import { sealedVersions } from '../settle/sealed-versions.ts'

/** Where the void of an event counts, and where the event does. */
export interface VoidDecision {
  readonly event: KeyedEvent
  /** The cycle of the void. */
  readonly cycle: Hour
  /** The cycle in which the event counts: that of the void or an older one; null: nowhere. */
  readonly counted: Hour | null
}

/**
 * Decide in whose bill each event is voided (ARCHITECTURE.md), behind the gate and once and for good:
 * 1. where it counts, if that cycle is open: it is left out there;
 * 2. otherwise in the open hour, with the opposite quantity; or with none, if it is held or a duplicate and counts nowhere.
 * @param keys events that are not voided yet, and whose held rows this transaction has deleted
 */
export async function decideVoids(
  sql: Sql,
  watermarks: Watermarks,
  keys: readonly EventKey[],
): Promise<readonly VoidDecision[]> {
  const events = await eventsAt(sql, keys)
  const released = new Map((await run(sql, findReleasedEvents, keys)).map((row) => [row.index, row.cycle]))
  const found = [...events].map(([index, event]) => ({ event, released: released.get(index) }))
  const versions = await sealedVersions(
    sql,
    watermarks,
    found.map(({ event, released: cycle }) => ({ ...event, hour: cycle ?? event.cycle })),
  )
  const late = lateCycle(watermarks)
  const decisions: VoidDecision[] = []
  for (const [index, { event, released: releasedInto }] of found.entries()) {
    const counted = releasedInto ?? event.cycle
    const version = versions[index]
    if (event.isDuplicate) decisions.push({ event, cycle: late, counted: null })
    else if (version === undefined) decisions.push({ event, cycle: counted, counted })
    else if (releasedInto !== undefined || (await isCovered(sql, version, event)))
      decisions.push({ event, cycle: late, counted })
    else decisions.push({ event, cycle: late, counted: null })
  }
  return decisions
}

/** Did the version with which its cycle was sealed cover the event? If not, it was held, and is on no bill. */
async function isCovered(sql: Sql, version: number, event: KeyedEvent): Promise<boolean> {
  const { book } = await bookOf(sql, version)
  const usage = reread(book.eventTypes, event.type, event.data)
  const read: UsageEvent = { ...event, usage }
  return assess(book, read).outcome === 'accepted'
}
