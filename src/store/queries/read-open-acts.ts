import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface ReadOpenActs {
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** The key of the last one read before; undefined: from the first. */
  readonly after: OpenAct | undefined
  readonly limit: number
}

/** A release, or a void that gives something back, of a cycle that has no bill yet. */
export interface OpenAct extends EventKey {
  readonly isVoid: boolean
}

/**
 * What was ordered about an account's events in cycles that its bucket has not settled, in key order: held events that
 * were released into them, and billed ones that they give back. A released event that is left out again is in neither.
 */
export const readOpenActs: Query<ReadOpenActs, EventKey & { is_void: boolean }, OpenAct> = {
  name: 'read_open_acts',
  text: `
    with mark as (select settled_until from bucket where bucket = $1),
    act as (
      select r.hour, r.bucket, r.account, r.id, r.source, false as is_void
        from mark
        join released_event r on r.cycle >= mark.settled_until and r.bucket = $1
       where r.account = $2 and r.hour >= $3 and r.hour < $4
         and not exists (select from voided_event v
                          where v.hour = r.hour and v.bucket = r.bucket and v.account = r.account
                            and v.id = r.id and v.source = r.source and v.cycle = r.cycle)
      union all
      select v.hour, v.bucket, v.account, v.id, v.source, true
        from mark
        join voided_event v on v.cycle >= mark.settled_until and v.bucket = $1
       where v.account = $2 and v.hour >= $3 and v.hour < $4 and v.counted < v.cycle)
    select hour, bucket, account, id, source, is_void
      from act
     where (hour, id, source, is_void) > ($5, $6, $7, $8)
     order by hour, id, source, is_void
     limit $9`,
  values: ({ bucket, account, from, to, after, limit }) => [
    bucket,
    account,
    from,
    to,
    after?.hour ?? -1,
    after?.id ?? '',
    after?.source ?? '',
    after?.isVoid ?? false,
    limit,
  ],
  decode: ({ is_void, ...key }) => ({ ...key, isVoid: is_void }),
}
