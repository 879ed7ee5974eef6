import type { Instant } from '../core/time/instant.ts'
import type { Query } from './query.ts'
import type { SeriesName } from './storage-series.ts'
import type { Level } from '../core/meter/level.ts'

/** Where a level stands in the key of its account. */
export interface LevelPlace extends SeriesName {
  readonly at: Instant
  readonly source: string
  readonly id: string
}

export interface ListLevelsSince {
  readonly bucket: number
  readonly account: string
  readonly since: Instant
  readonly after: LevelPlace | undefined
  readonly limit: number
}

interface Raw extends SeriesName {
  at: string
  source: string
  id: string
}

/** Settled levels above 0 of an account at an instant and after it, a page of them in the order of the primary key. */
export const listLevelsSince: Query<ListLevelsSince, Raw, LevelPlace> = {
  name: 'list_levels_since',
  text: `
    select project, dataset, region, at, source, id
      from storage_level
     where bucket = $1 and account = $2 and at >= $3 and bytes > 0
       and ($4::text is null or (project, dataset, region, at, source, id) > ($4, $5, $6, $7::bigint, $8, $9))
     order by project, dataset, region, at, source, id
     limit $10`,
  values: ({ bucket, account, since, after, limit }) => {
    const { project = null, dataset = null, region = null } = after ?? {}
    const { at = null, source = null, id = null } = after ?? {}
    return [bucket, account, since, project, dataset, region, at, source, id, limit]
  },
  decode: ({ at, ...raw }) => ({ ...raw, at: Number(at) as Instant }),
}

export interface ListWithdrawnLevels {
  readonly bucket: number
  readonly account: string
  /** Series of one project and region; '' for those without. */
  readonly project: string
  readonly region: string
  /** The settled hour that took them back. */
  readonly step: number
  readonly limit: number
}

/** Where a level stands in its project and region. */
export interface WithdrawnLevel {
  readonly dataset: string | null
  readonly at: Instant
  readonly source: string
  readonly id: string
}

/** The levels of a project and region that a settled hour voided: a range of the primary key. */
export const listWithdrawnLevels: Query<
  ListWithdrawnLevels,
  { dataset: string; at: string; source: string; id: string },
  WithdrawnLevel
> = {
  name: 'list_withdrawn_levels',
  text: `
    select dataset, at, source, id
      from storage_level
     where bucket = $1 and account = $2 and project = $3 and region = $4 and void_step = $5
     limit $6`,
  values: ({ bucket, account, project, region, step, limit }) => [
    bucket,
    account,
    project,
    region,
    step,
    limit,
  ],
  decode: ({ dataset, at, source, id }) => ({
    dataset: dataset || null,
    at: Number(at) as Instant,
    source,
    id,
  }),
}

export interface UpdateWithdrawnLevels {
  readonly bucket: number
  readonly account: string
  /** The settled hour that reverses them. */
  readonly step: number
  readonly levels: readonly Level[]
}

/** Settled hours of a higher step do not see these levels: they were voided. */
export const updateWithdrawnLevels: Query<UpdateWithdrawnLevels, never, void> = {
  name: 'update_withdrawn_levels',
  text: `
    update storage_level l
       set void_step = $3
      from unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[])
           as k (project, dataset, region, at, source, id)
     where l.bucket = $1 and l.account = $2 and l.project = k.project and l.dataset = k.dataset
       and l.region = k.region and l.at = k.at and l.source = k.source and l.id = k.id`,
  values: ({ bucket, account, step, levels }) => [
    bucket,
    account,
    step,
    levels.map(({ project }) => project ?? ''),
    levels.map(({ dataset }) => dataset ?? ''),
    levels.map(({ region }) => region ?? ''),
    levels.map(({ at }) => at),
    levels.map(({ source }) => source),
    levels.map(({ id }) => id),
  ],
  decode: () => undefined,
}
