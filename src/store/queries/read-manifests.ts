import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

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

export interface ReadManifests {
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
export const readManifests: Query<
  ReadManifests,
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
  name: 'read_manifests',
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
