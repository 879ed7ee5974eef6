import type { SettledAccount } from './settled-hours.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import type { AccountHourKey } from './key-columns.ts'

export interface InsertLateHours {
  /** The open hour in which the late events count. */
  readonly cycle: Hour
  readonly keys: readonly AccountHourKey[]
}

/** Put work into an open cycle: the accounts have events of these older hours there. */
export const insertLateHours: Query<InsertLateHours, never, void> = {
  name: 'insert_late_hours',
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

export interface LateHour extends SettledAccount {
  readonly hour: Hour
}

/** The older hours of which a cycle has events, by account, oldest first. */
export const listLateHours: Query<
  { readonly cycle: Hour; readonly buckets: readonly number[] },
  LateHour,
  LateHour
> = {
  name: 'list_late_hours',
  text: `
    select bucket, account, hour
      from late_hour
     where cycle = $1 and bucket = any ($2)
     order by bucket, account, hour`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: (raw) => raw,
}

export interface InsertRestatedAccounts {
  readonly cycle: Hour
  /** One for each account: storage may have changed from this hour on. */
  readonly keys: readonly AccountHourKey[]
}

/**
 * Put work into a cycle: look again at what these accounts stored. Only into an open one while holding the gate, or into
 * one that is settled by this transaction.
 */
export const insertRestatedAccounts: Query<InsertRestatedAccounts, never, void> = {
  name: 'insert_restated_accounts',
  text: `
    insert into restated_account as r (cycle, bucket, account, from_hour)
    select $1, bucket, account, hour
      from unnest($2::smallint[], $3::text[], $4::int[]) as k (bucket, account, hour)
     order by bucket, account collate "C"
        on conflict (cycle, bucket, account) do update set from_hour = least(r.from_hour, excluded.from_hour)`,
  values: ({ cycle, keys }) => [
    cycle,
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
  ],
  decode: () => undefined,
}

/** The accounts whose storage a cycle looks at again, and from which hour on. */
export const listRestatedAccounts: Query<
  { readonly cycle: Hour; readonly buckets: readonly number[] },
  LateHour,
  LateHour
> = {
  name: 'list_restated_accounts',
  text: `
    select bucket, account, from_hour as hour
      from restated_account
     where cycle = $1 and bucket = any ($2)`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: (raw) => raw,
}
