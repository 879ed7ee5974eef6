import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadSilentSources {
  /** Behind this one, in the order of their bytes; '' for all. */
  readonly after: string
  readonly limit: number
}

export interface SilentSource {
  readonly source: string
  /** The newest hour of which it has events. */
  readonly lastHour: Hour
  /** The first hour in which it was missed. */
  readonly silentSince: Hour
  /** The key that said that this is right. */
  readonly acknowledgedBy: string | null
}

/** Silent sources, in the order of their bytes. By an index of the silent ones. */
export const readSilentSources: Query<
  ReadSilentSources,
  { source: string; last_hour: Hour; silent_since: Hour; acknowledged_by: string | null },
  SilentSource
> = {
  name: 'read_silent_sources',
  text: `
    select source, last_hour, silent_since, acknowledged_by
      from source_presence
     where silent_since is not null and source > $1
     order by source
     limit $2`,
  values: ({ after, limit }) => [after, limit],
  decode: (raw) => ({
    source: raw.source,
    lastHour: raw.last_hour,
    silentSince: raw.silent_since,
    acknowledgedBy: raw.acknowledged_by,
  }),
}
