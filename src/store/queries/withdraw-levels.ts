import type { Level } from '../../core/meter/level.ts'
import type { Query } from '../query.ts'

export interface WithdrawLevels {
  readonly bucket: number
  readonly account: string
  /** The settled hour that takes them back. */
  readonly step: number
  readonly levels: readonly Level[]
}

/** Settled hours of a higher step do not see these levels: they were taken back. */
export const withdrawLevels: Query<WithdrawLevels, never, void> = {
  name: 'withdraw_levels',
  text: `
    update storage_level l
       set void_step = $3
      from unnest($4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[]) as k (project, dataset, at, source, id)
     where l.bucket = $1 and l.account = $2 and l.project = k.project and l.dataset = k.dataset
       and l.at = k.at and l.source = k.source and l.id = k.id`,
  values: ({ bucket, account, step, levels }) => [
    bucket,
    account,
    step,
    levels.map(({ project }) => project ?? ''),
    levels.map(({ dataset }) => dataset ?? ''),
    levels.map(({ at }) => at),
    levels.map(({ source }) => source),
    levels.map(({ id }) => id),
  ],
  decode: () => undefined,
}
