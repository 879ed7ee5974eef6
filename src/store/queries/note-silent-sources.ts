import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface NoteSilentSources {
  readonly sources: readonly string[]
  /** The first hour in which they were missed. */
  readonly hour: Hour
}

/** These sources are silent from an hour on, until they report again. Under the claim. */
export const noteSilentSources: Query<NoteSilentSources, never, void> = {
  name: 'note_silent_sources',
  text: `
    update source_presence
       set silent_since = $2, acknowledged_by = null
     where source = any ($1) and last_hour < $2`,
  values: ({ sources, hour }) => [sources, hour],
  decode: () => undefined,
}
