import type { HeldCode } from '../../core/rate/assess.ts'
import { keyColumns } from '../key-columns.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/** What became of an event that its own cycle was sealed without. */
export interface HeldState {
  /** Index of its key. */
  readonly index: number
  /** Why it is held, and the newest version under which it was looked at; null: it is not held. */
  readonly held: {
    readonly code: HeldCode
    readonly subject: string
    readonly priceVersion: number
  } | null
  readonly isReleased: boolean
  readonly isVoided: boolean
}

interface Raw {
  index: string
  code: HeldCode | null
  subject: string
  price_version: number
  is_released: boolean
  is_voided: boolean
}

/** Of each key: is it held, released, taken back? One probe of three primary keys for each. */
export const findHeldStates: Query<readonly EventKey[], Raw, HeldState> = {
  name: 'find_held_states',
  text: `
    select k.index, h.code, h.subject, h.price_version,
           exists (select from released_event r
                    where r.hour = k.hour and r.bucket = k.bucket and r.account = k.account
                      and r.id = k.id and r.source = k.source) as is_released,
           exists (select from voided_event v
                    where v.hour = k.hour and v.bucket = k.bucket and v.account = k.account
                      and v.id = k.id and v.source = k.source) as is_voided
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
      left join held_event h using (hour, bucket, account, id, source)`,
  values: keyColumns,
  decode: ({ index, code, subject, price_version, is_released, is_voided }) => ({
    index: Number(index) - 1,
    held: code === null ? null : { code, subject, priceVersion: price_version },
    isReleased: is_released,
    isVoided: is_voided,
  }),
}
