import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface SettledAccount {
  readonly bucket: number
  readonly account: string
}

export interface LateHour extends SettledAccount {
  readonly hour: Hour
}

/** The older hours of which a cycle has events, by account, oldest first. */
export const readLateHours: Query<
  { readonly cycle: Hour; readonly buckets: readonly number[] },
  LateHour,
  LateHour
> = {
  name: 'read_late_hours',
  text: `
    select bucket, account, hour
      from late_hour
     where cycle = $1 and bucket = any ($2)
     order by bucket, account, hour`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: (raw) => raw,
}
