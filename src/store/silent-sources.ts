import type { Query } from './query.ts'
import type { Hour } from '../core/time/hour.ts'

export interface UpdateAcknowledgedSilence {
  readonly source: string
  /** The key. */
  readonly by: string
}

/** Somebody says that a source is silent with good reason: it is no warning any more. Nothing when it is not silent. */
export const updateAcknowledgedSilence: Query<UpdateAcknowledgedSilence, { source: string }, string> = {
  name: 'update_acknowledged_silence',
  text: `
    update source_presence set acknowledged_by = $2
     where source = $1 and silent_since is not null
    returning source`,
  values: ({ source, by }) => [source, by],
  decode: ({ source }) => source,
}

/** Sources that are silent, and of which nobody has said that this is right. By an index of the silent ones. */
export const countSilentSources: Query<void, { sources: number }, number> = {
  name: 'count_silent_sources',
  text: `
    select count(*)::int as sources
      from source_presence
     where silent_since is not null and acknowledged_by is null`,
  values: () => [],
  decode: ({ sources }) => sources,
}

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

export interface DeleteSourcePresence {
  /** Sources that have not reported since before this hour, and are not silent, are expected no more. */
  readonly before: Hour
  /** The same of silent ones. */
  readonly silentBefore: Hour
}

/** Forget when sources have reported that have not done so for long. */
export const deleteSourcePresence: Query<DeleteSourcePresence, never, void> = {
  name: 'delete_source_presence',
  text: `
    delete from source_presence
     where last_hour < case when silent_since is null then $1::int else $2::int end`,
  values: ({ before, silentBefore }) => [before, silentBefore],
  decode: () => undefined,
}

export interface UpdateSilentSources {
  readonly sources: readonly string[]
  /** The first hour in which they were missed. */
  readonly hour: Hour
}

/** These sources are silent from an hour on, until they report again. Under the claim. */
export const updateSilentSources: Query<UpdateSilentSources, never, void> = {
  name: 'update_silent_sources',
  text: `
    update source_presence
       set silent_since = $2, acknowledged_by = null
     where source = any ($1) and last_hour < $2`,
  values: ({ sources, hour }) => [sources, hour],
  decode: () => undefined,
}

export interface ListSilentSourceRows {
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
export const listSilentSourceRows: Query<
  ListSilentSourceRows,
  { source: string; last_hour: Hour; silent_since: Hour; acknowledged_by: string | null },
  SilentSource
> = {
  name: 'list_silent_source_rows',
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
