import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { SeriesName } from './read-account-series.ts'

/** Where a level stands in the key of its account. */
export interface LevelPlace extends SeriesName {
  readonly at: Instant
  readonly source: string
  readonly id: string
}

export interface ReadLevelsSince {
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
export const readLevelsSince: Query<ReadLevelsSince, Raw, LevelPlace> = {
  name: 'read_levels_since',
  text: `
    select project, dataset, at, source, id
      from storage_level
     where bucket = $1 and account = $2 and at >= $3 and bytes > 0
       and ($4::text is null or (project, dataset, at, source, id) > ($4, $5, $6::bigint, $7, $8))
     order by project, dataset, at, source, id
     limit $9`,
  values: ({ bucket, account, since, after, limit }) => {
    const { project = null, dataset = null, at = null, source = null, id = null } = after ?? {}
    return [bucket, account, since, project, dataset, at, source, id, limit]
  },
  decode: ({ at, ...raw }) => ({ ...raw, at: Number(at) as Instant }),
}
