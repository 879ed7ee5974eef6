import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { OpenHour } from './read-open-hours.ts'

export interface ReadOpenLevels extends OpenHour {
  readonly bucket: number
  readonly account: string
  /** Event types that announce levels. */
  readonly types: readonly string[]
  readonly after: { readonly id: string; readonly source: string } | undefined
  readonly limit: number
}

/** An event that announces a level. Its data is not yet understood. */
export interface LevelEvent {
  readonly at: Instant
  readonly id: string
  readonly source: string
  readonly type: string
  readonly data: string
}

export interface RawLevelEvent extends Omit<LevelEvent, 'at'> {
  readonly at: string
}

/** The levels that an account announced in an hour and that count in a cycle, a page of them: a range of the key. */
export const readOpenLevels: Query<ReadOpenLevels, RawLevelEvent, LevelEvent> = {
  name: 'read_open_levels',
  text: `
    select at, id, source, type, data
      from usage_event
     where hour = $1 and bucket = $2 and account = $3 and cycle = $4 and type = any ($5)
       and (id, source) > ($6, $7)
     order by id, source
     limit $8`,
  values: ({ hour, bucket, account, cycle, types, after, limit }) => [
    hour,
    bucket,
    account,
    cycle,
    types,
    after?.id ?? '',
    after?.source ?? '',
    limit,
  ],
  decode: decodeLevelEvent,
}

export function decodeLevelEvent({ at, ...raw }: RawLevelEvent): LevelEvent {
  return { ...raw, at: Number(at) as Instant }
}
