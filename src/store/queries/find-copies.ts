import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './read-cycle-events.ts'

export interface FindCopies {
  readonly bucket: number
  readonly account: string
  readonly id: string
  /** Undefined: of any source. */
  readonly source: string | undefined
  /** Hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

/** A stored event and where it counts. */
export interface FoundCopy extends KeptEvent {
  readonly hour: Hour
  readonly cycle: Hour
}

/**
 * Every event of an id, over a range of hours: one probe of the primary key for each hour. There is no index by
 * id alone, because it would cost half of ingest.
 */
export const findCopies: Query<FindCopies, RawKeptEvent & { hour: Hour; cycle: Hour }, FoundCopy> = {
  name: 'find_copies',
  text: `
    select e.*
      from generate_series($5::int, $6::int - 1) as h (hour)
     cross join lateral (
       select hour, cycle, at, received_at, id, source, type, data, attributes
         from usage_event
        where hour = h.hour and hour >= $5 and hour < $6
          and bucket = $1 and account = $2 and id = $3 and ($4::text is null or source = $4)
        limit $7) e
     order by e.hour, e.source
     limit $7`,
  values: ({ bucket, account, id, source, from, to, limit }) => [
    bucket,
    account,
    id,
    source ?? null,
    from,
    to,
    limit,
  ],
  decode: ({ hour, cycle, ...raw }) => ({ hour, cycle, ...decodeKeptEvent(raw) }),
}
