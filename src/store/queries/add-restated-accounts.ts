import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'
import type { AccountHourKey } from './find-closed-hours.ts'

export interface AddRestatedAccounts {
  readonly cycle: Hour
  /** One for each account: storage may have changed from this hour on. */
  readonly keys: readonly AccountHourKey[]
}

/**
 * Put work into a cycle: look again at what these accounts stored. Only into an open one while holding the gate, or into
 * one that is settled by this transaction.
 */
export const addRestatedAccounts: Query<AddRestatedAccounts, never, void> = {
  name: 'add_restated_accounts',
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
