import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Of the sources that have announced an hour: how many, and of how many fewer, more or as many events are stored. */
export interface ManifestCounts {
  readonly hour: Hour
  readonly announced: number
  readonly missing: number
  readonly surplus: number
  /** Not counted yet: the hour is not sealed, or will be counted again in a moment. */
  readonly uncounted: number
}

/** Announced hours among these, by what was counted last. By the primary keys of manifests and counts. */
export const countManifests: Query<{ readonly hours: readonly Hour[] }, ManifestCounts, ManifestCounts> = {
  name: 'count_manifests',
  text: `
    select m.hour, count(*)::int as announced,
           count(*) filter (where c.events < m.events)::int as missing,
           count(*) filter (where c.events > m.events)::int as surplus,
           count(*) filter (where c.events is null)::int as uncounted
      from (select distinct on (hour, source) hour, source, events
              from manifest where hour = any ($1)
             order by hour, source, version desc) m
      left join source_count c on c.hour = m.hour and c.source = m.source
     group by m.hour`,
  values: ({ hours }) => [hours],
  decode: (raw) => raw,
}
