import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadOpenHours {
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
}

/** Events of `hour` that count in `cycle` are on no bill yet. */
export interface OpenHour {
  readonly hour: Hour
  readonly cycle: Hour
}

/**
 * Where the account may have usage that is on no bill yet: the hours that its bucket has not settled, late usage
 * in those, and history.
 */
export const readOpenHours: Query<ReadOpenHours, OpenHour, OpenHour> = {
  name: 'read_open_hours',
  text: `
    with mark as (select settled_until from bucket where bucket = $1),
    open as (
      select hour, hour as cycle
        from mark, generate_series(greatest($3::int, settled_until), $4::int - 1) as hour
      union
      select hour, cycle
        from mark, late_hour
       where bucket = $1 and account = $2 and hour >= $3 and hour < $4 and cycle >= settled_until
      union
      select hour, hour
        from history_hour
       where bucket = $1 and account = $2 and hour >= $3 and hour < $4)
    select hour, cycle
      from open
     where not exists (select from bill b where b.hour = cycle and b.bucket = $1 and b.account = $2)
       and not exists (select from settled_hour s where s.hour = cycle and s.bucket = $1 and s.account = $2)
     order by hour, cycle`,
  values: ({ bucket, account, from, to }) => [bucket, account, from, to],
  decode: (raw) => raw,
}
