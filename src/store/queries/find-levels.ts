import type { Query } from '../query.ts'
import type { Level } from '../../core/meter/level.ts'
import type { SettledAccount } from './read-late-hours.ts'

export interface FindLevels extends SettledAccount {
  readonly levels: readonly Level[]
}

/** Which of an account's announced levels are kept, and as what. `index` is that of the level. */
export interface FoundLevel {
  readonly index: number
  readonly bytes: string
  readonly region: string | null
  readonly step: number
}

interface Raw {
  index: string
  bytes: string
  region: string
  step: string
}

/** What settlement keeps of the levels that events announced: one probe of the primary key each. */
export const findLevels: Query<FindLevels, Raw, FoundLevel> = {
  name: 'find_levels',
  text: `
    select k.index, l.bytes, l.region, l.step
      from unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
           with ordinality as k (project, dataset, at, source, id, index)
      join storage_level l
        on l.bucket = $1 and l.account = $2 and l.project = k.project and l.dataset = k.dataset
       and l.at = k.at and l.source = k.source and l.id = k.id`,
  values: ({ bucket, account, levels }) => [
    bucket,
    account,
    levels.map(({ project }) => project ?? ''),
    levels.map(({ dataset }) => dataset ?? ''),
    levels.map(({ at }) => at),
    levels.map(({ source }) => source),
    levels.map(({ id }) => id),
  ],
  decode: (raw) => ({
    index: Number(raw.index) - 1,
    bytes: raw.bytes,
    region: raw.region || null,
    step: Number(raw.step),
  }),
}
