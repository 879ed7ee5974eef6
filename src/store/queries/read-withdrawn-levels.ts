import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadWithdrawnLevels {
  readonly bucket: number
  readonly account: string
  /** One project's series; '' for those without a project. */
  readonly project: string
  /** The settled hour that took them back. */
  readonly step: number
  readonly limit: number
}

/** Where a level stands in its project. */
export interface WithdrawnLevel {
  readonly dataset: string | null
  readonly at: Instant
  readonly source: string
  readonly id: string
}

/** The levels of a project that a settled hour took back: a range of the primary key. */
export const readWithdrawnLevels: Query<
  ReadWithdrawnLevels,
  { dataset: string; at: string; source: string; id: string },
  WithdrawnLevel
> = {
  name: 'read_withdrawn_levels',
  text: `
    select dataset, at, source, id
      from storage_level
     where bucket = $1 and account = $2 and project = $3 and void_step = $4
     limit $5`,
  values: ({ bucket, account, project, step, limit }) => [bucket, account, project, step, limit],
  decode: ({ dataset, at, source, id }) => ({
    dataset: dataset || null,
    at: Number(at) as Instant,
    source,
    id,
  }),
}
