import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './read-cycle-events.ts'

export interface FindCopies {
  readonly bucket: number
  readonly account: string
  readonly id: string
  /** Undefined: of any source. */
  readonly source: string | undefined
  /** UTC days since 1970-01-01: at least one, ascending. They bound the partitions that are opened. */
  readonly days: readonly number[]
  readonly limit: number
}

/** A stored event and where it counts. */
export interface FoundCopy extends KeptEvent {
  readonly hour: Hour
  readonly cycle: Hour
}

/**
 * Every event of an id on some days: one probe of the primary key for each hour. There is no index by id alone,
 * because it would cost half of ingest. The limit inside makes each hour a probe of its own.
 */
export const findCopies: Query<FindCopies, RawKeptEvent & { hour: Hour; cycle: Hour }, FoundCopy> = {
  name: 'find_copies',
  text: `
    select e.*
      from unnest($5::int[]) as d (day)
     cross join generate_series(d.day * 24, d.day * 24 + 23) as h (hour)
     cross join lateral (
       select hour, cycle, at, received_at, id, source, type, data, attributes
         from usage_event
        where hour = h.hour and hour >= $6 and hour < $7
          and bucket = $1 and account = $2 and id = $3 and ($4::text is null or source = $4)
        limit $8) e
     order by e.hour desc, e.source
     limit $8`,
  values: ({ bucket, account, id, source, days, limit }) => {
    const [from, to] = [days[0]! * 24, (days.at(-1)! + 1) * 24]
    return [bucket, account, id, source ?? null, days, from, to, limit]
  },
  decode: ({ hour, cycle, ...raw }) => ({ hour, cycle, ...decodeKeptEvent(raw) }),
}
