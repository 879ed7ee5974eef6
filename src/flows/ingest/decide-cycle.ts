import type { UsageEvent } from '../../core/ingest/event.ts'
import type { Hour } from '../../core/time/hour.ts'
import { lateCycle } from '../../core/time/late-cycle.ts'
import { findClosedHours } from '../../store/settled-hours.ts'
import type { AccountHourKey } from '../../store/key-columns.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { run, type Sql } from '../../store/query.ts'

/** In whose bill an event counts, and how it came there (ARCHITECTURE.md). */
export interface CycleDecision {
  readonly cycle: Hour
  readonly disposition: 'live' | 'backfill' | 'late'
}

/**
 * Decide the cycle of each event, once, inside its transaction and behind the gate:
 * 1. its own hour, while that is not sealed;
 * 2. its own hour, as backfill, if that was settled for others and this account has no part in it yet;
 * 3. otherwise the late hour, where it makes a correction.
 * @param key from an event to its account-hour
 */
export async function decideCycles<Event extends Pick<UsageEvent, 'hour' | 'account'> & AccountHourKey>(
  sql: Sql,
  watermarks: Watermarks,
  events: readonly Event[],
): Promise<(event: Event) => CycleDecision> {
  const past = distinctHours(events.filter(({ hour }) => hour < watermarks.settledUntil))
  const closed = past.size === 0 ? [] : await run(sql, findClosedHours, [...past.values()])
  const names = [...past.keys()]
  const closedNames = new Set(closed.map((index) => names[index]!))
  const late = lateCycle(watermarks)
  let live: CycleDecision = { cycle: watermarks.sealedUntil, disposition: 'live' }
  return (event) => {
    if (event.hour >= watermarks.sealedUntil) {
      // Nearly all events are of the hour of the one before.
      if (live.cycle !== event.hour) live = { cycle: event.hour, disposition: 'live' }
      return live
    }
    const backfill = event.hour < watermarks.settledUntil && !closedNames.has(accountHourName(event))
    return backfill ? { cycle: event.hour, disposition: 'backfill' } : { cycle: late, disposition: 'late' }
  }
}

/** The account-hours of some events, each once, in the order of their keys' first event. */
export function distinctHours(keys: readonly AccountHourKey[]): ReadonlyMap<string, AccountHourKey> {
  return new Map(
    keys.map(({ bucket, account, hour }) => [accountHourName({ account, hour }), { bucket, account, hour }]),
  )
}

function accountHourName({ account, hour }: Pick<AccountHourKey, 'account' | 'hour'>): string {
  return `${hour}\0${account}`
}
