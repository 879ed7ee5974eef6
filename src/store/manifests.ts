import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'

export interface NewManifest {
  readonly hour: Hour
  readonly source: string
  /** A whole number from 0. */
  readonly events: number
  /** The key. */
  readonly by: string
}

/** The version that was added; nothing when the newest one says the same. Two at once: one of them fails with 23505. */
export const insertManifest: Query<NewManifest, { version: number }, number> = {
  name: 'insert_manifest',
  text: `
    with newest as (
      select version, events from manifest where hour = $1 and source = $2 order by version desc limit 1)
    insert into manifest (hour, source, version, events, announced_by)
    select $1, $2, coalesce((select version from newest), 0) + 1, $3::bigint, $4
     where not exists (select from newest where events = $3::bigint)
    returning version`,
  values: ({ hour, source, events, by }) => [hour, source, events, by],
  decode: ({ version }) => version,
}

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

/** What a source said about an hour. */
export interface Manifest {
  readonly hour: Hour
  readonly source: string
  readonly version: number
  readonly events: number
  readonly announcedAt: Instant
  /** The key. */
  readonly announcedBy: string
}

export interface ListManifestRows {
  /** Hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Only of this source; undefined: of all. */
  readonly source: string | undefined
  /** The key of the last one of the page before. */
  readonly after: Pick<Manifest, 'hour' | 'source' | 'version'> | undefined
  readonly limit: number
}

/** Everything that was announced, in the order of hour, source and version. By the primary key. */
export const listManifestRows: Query<
  ListManifestRows,
  {
    hour: Hour
    source: string
    version: number
    events: string
    announced_at: Date
    announced_by: string
  },
  Manifest
> = {
  name: 'list_manifest_rows',
  text: `
    select hour, source, version, events, announced_at, announced_by
      from manifest
     where hour >= $1 and hour < $2 and ($3::text is null or source = $3)
       and (hour, source, version) > ($4, $5, $6)
     order by hour, source, version
     limit $7`,
  values: ({ from, to, source, after, limit }) => [
    from,
    to,
    source,
    after?.hour ?? -1,
    after?.source ?? '',
    after?.version ?? 0,
    limit,
  ],
  decode: (raw) => ({
    hour: raw.hour,
    source: raw.source,
    version: raw.version,
    // At most 2^53: the API takes no more.
    events: Number(raw.events),
    announcedAt: raw.announced_at.getTime() as Instant,
    announcedBy: raw.announced_by,
  }),
}
