import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { AccountHourKey } from './find-closed-hours.ts'

export interface AddLateHours {
  /** The open hour in which the late events count. */
  readonly cycle: Hour
  readonly keys: readonly AccountHourKey[]
}

/** Put work into an open cycle: the accounts have events of these older hours there. */
export const addLateHours: Query<AddLateHours, never, void> = {
  name: 'add_late_hours',
  text: `
    insert into late_hour (cycle, bucket, account, hour)
    select $1, bucket, account, hour
      from unnest($2::smallint[], $3::text[], $4::int[]) as k (bucket, account, hour)
     order by bucket, account collate "C", hour
        on conflict do nothing`,
  values: ({ cycle, keys }) => [
    cycle,
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
  ],
  decode: () => undefined,
}
