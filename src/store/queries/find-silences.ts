import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface Silence {
  readonly source: string
  /** The first hour in which it was missed. */
  readonly silentSince: Hour
}

/** Which of these sources are silent. By the primary key. */
export const findSilences: Query<readonly string[], { source: string; silent_since: Hour }, Silence> = {
  name: 'find_silences',
  text: `select source, silent_since from source_presence where source = any ($1) and silent_since is not null`,
  values: (sources) => [sources],
  decode: (raw) => ({ source: raw.source, silentSince: raw.silent_since }),
}
