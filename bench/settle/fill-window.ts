import { randomFillSync } from 'node:crypto'
import type { Hour } from '../../src/core/time/hour.ts'
import { insertIdentitySegment, SEGMENT_HOURS } from '../../src/store/identity-segments.ts'
import { run } from '../../src/store/query.ts'
import type { ScratchServer } from '../run/scratch-server.ts'

const BUCKETS = 256

export interface FillWindow {
  /** Its days end before this hour's. */
  readonly hour: Hour
  readonly days: number
  readonly eventsPerHour: number
  /** Buckets of one segment: as many as settlement takes in one transaction for so many events. */
  readonly width: number
}

/** Pretend that days were settled before: fingerprints of random identities, joined by day, as they are after a while. */
export async function fillWindow({ pool }: ScratchServer, fill: FillWindow): Promise<void> {
  const { hour, days, eventsPerHour, width } = fill
  const today = Math.floor(hour / SEGMENT_HOURS)
  const length = Math.floor((eventsPerHour * SEGMENT_HOURS * width) / BUCKETS)
  for (let day = today - days; day < today; day++) {
    for (let from = 0; from < BUCKETS; from += width) {
      const fingerprints = randomFillSync(new Uint32Array(length)).sort()
      const buckets = [from, from + width - 1]
      const segment = { hour: (day * SEGMENT_HOURS) as Hour, hours: SEGMENT_HOURS, buckets, fingerprints }
      await run(pool, insertIdentitySegment, segment)
    }
  }
}
