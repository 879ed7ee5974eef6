import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface FindMissedSources {
  /** They have no events of this hour, nor of a later one. */
  readonly hour: Hour
  /** Behind this one, in the order of their bytes; '' for all. */
  readonly after: string
  readonly limit: number
}

export interface MissedSource {
  readonly source: string
  readonly lastHour: Hour
  readonly hours: bigint
}

/**
 * Sources that did not report in an hour, are not known as silent, and have reported in at least 6 hours of the last
 * days: fewer are never usual. Reads the table of sources, by its key.
 */
export const findMissedSources: Query<
  FindMissedSources,
  { source: string; last_hour: Hour; hours: string },
  MissedSource
> = {
  name: 'find_missed_sources',
  text: `
    select source, last_hour, hours
      from source_presence
     where source > $2 and last_hour < $1 and last_hour > $1 - 192 and silent_since is null
       and bit_count(hours) >= 6
     order by source
     limit $3`,
  values: ({ hour, after, limit }) => [hour, after, limit],
  decode: ({ source, last_hour, hours }) => ({ source, lastHour: last_hour, hours: BigInt(`0b${hours}`) }),
}
