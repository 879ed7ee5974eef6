import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface AccountHourKey {
  readonly bucket: number
  readonly account: string
  readonly hour: Hour
}

/**
 * Which of these account-hours take no more events: they have a bill, were settled without one, or are sealed as
 * history. One statement, so that an hour that is being settled is seen in one of its states.
 */
export const findClosedHours: Query<readonly AccountHourKey[], { index: string }, number> = {
  name: 'find_closed_hours',
  text: `
    select k.index
      from unnest($1::smallint[], $2::text[], $3::int[]) with ordinality as k (bucket, account, hour, index)
     where exists (select from bill b where b.hour = k.hour and b.bucket = k.bucket and b.account = k.account)
        or exists (select from settled_hour s
                    where s.hour = k.hour and s.bucket = k.bucket and s.account = k.account)
        or exists (select from history_hour h
                    where h.bucket = k.bucket and h.account = k.account and h.hour = k.hour
                      and h.price_version is not null)`,
  values: (keys) => [
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
  ],
  decode: ({ index }) => Number(index) - 1,
}
