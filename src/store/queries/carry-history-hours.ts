import type { CloseHistoryHours } from './close-history-hours.ts'
import type { Query } from '../query.ts'

/**
 * Accounts that store something at the end of a history hour, and have later history to settle: the next hour is
 * theirs too, with events or without, unless it is settled. So a day of history has the bills of a day that was live.
 */
export const carryHistoryHours: Query<CloseHistoryHours, never, void> = {
  name: 'carry_history_hours',
  text: `
    insert into history_hour (bucket, account, hour, touched_at, writers, price_version)
    select distinct on (h.account) h.bucket, h.account, $1 + 1, clock_timestamp(), h.writers, h.price_version
      from history_hour h
     where h.bucket = $2 and h.account = any ($3) and h.hour > $1 + 1 and h.price_version is not null
       and not exists (select from bill b
                        where b.hour = $1 + 1 and b.bucket = h.bucket and b.account = h.account)
       and not exists (select from settled_hour s
                        where s.hour = $1 + 1 and s.bucket = h.bucket and s.account = h.account)
     order by h.account, h.hour
        on conflict do nothing`,
  values: ({ hour, bucket, accounts }) => [hour, bucket, accounts],
  decode: () => undefined,
}
