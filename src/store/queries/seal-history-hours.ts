import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { AccountHourKey } from './find-closed-hours.ts'

export interface SealHistoryHours {
  /** Seal what was not touched for this long; 0: all. */
  readonly quietMs: number
  /** At most so many account-hours: the gate is held meanwhile. */
  readonly limit: number
  /** Only what this import alone wrote; null: whoever wrote it. */
  readonly writer: string | null
}

/**
 * Seal history account-hours with the newest price version, those of the oldest hours first. What was touched in the
 * future was touched before the clock went back, and does not wait for it to return. Only while holding the gate alone.
 */
export const sealHistoryHours: Query<
  SealHistoryHours,
  { bucket: number; account: string; hour: Hour },
  AccountHourKey
> = {
  name: 'seal_history_hours',
  text: `
    update history_hour h
       set price_version = d.price_version
      from deployment d,
           (select bucket, account, hour
              from history_hour
             where price_version is null
               and (touched_at <= clock_timestamp() - make_interval(secs => $1::numeric / 1000)
                    or touched_at > clock_timestamp() + make_interval(secs => $1::numeric / 1000))
               and ($3::text is null or writers = array[$3::text])
             order by hour, bucket, account
             limit $2) due
     where h.bucket = due.bucket and h.account = due.account and h.hour = due.hour
    returning h.bucket, h.account, h.hour`,
  values: ({ quietMs, limit, writer }) => [quietMs, limit, writer],
  decode: (raw) => raw,
}
