import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface ReadVoids {
  /** Of one account, with its bucket; undefined: of all. */
  readonly account: { readonly name: string; readonly bucket: number } | undefined
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** The key of the last one read before. */
  readonly after: EventKey | undefined
  readonly limit: number
}

/** An event that was taken back, by whom and why, and where that counts. */
export interface VoidRow extends EventKey {
  readonly cycle: Hour
  readonly counted: Hour | null
  readonly orderedAt: Instant
  readonly orderedBy: string
  readonly reason: string
  /** Has the cycle of the void its bill? */
  readonly isBilled: boolean
}

interface Raw extends EventKey {
  cycle: Hour
  counted: Hour | null
  ordered_at: string
  ordered_by: string
  reason: string
  is_billed: boolean
}

/** What was taken back, in the order of the events' keys: a range of the primary key, or of voided_event_hour. */
export const readVoids: Query<ReadVoids, Raw, VoidRow> = {
  name: 'read_voids',
  text: `
    select v.hour, v.bucket, v.account, v.id, v.source, v.cycle, v.counted, v.ordered_at, v.ordered_by, v.reason,
           exists (select from bill b
                    where b.hour = v.cycle and b.bucket = v.bucket and b.account = v.account) as is_billed
      from voided_event v
     where ($1::smallint is null or (v.bucket = $1 and v.account = $2))
       and v.hour >= $3 and v.hour < $4
       and (v.hour, v.bucket, v.account, v.id, v.source) > ($5, $6, $7, $8, $9)
     order by v.hour, v.bucket, v.account, v.id, v.source
     limit $10`,
  values: ({ account, from, to, after, limit }) => {
    const start = after ?? { hour: -1, bucket: -1, account: '', id: '', source: '' }
    const position = [start.hour, start.bucket, start.account, start.id, start.source]
    return [account?.bucket ?? null, account?.name ?? null, from, to, ...position, limit]
  },
  decode: ({ ordered_at, ordered_by, is_billed, ...row }) => ({
    ...row,
    orderedAt: Number(ordered_at) as Instant,
    orderedBy: ordered_by,
    isBilled: is_billed,
  }),
}
