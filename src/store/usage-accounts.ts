import type { ZoneHistory } from '../core/time/zone-history.ts'
import { readZones, type Tags } from './account-profile.ts'
import type { Query } from './query.ts'
import type { SettledAccount } from './settled-hours.ts'

export interface ListZonedAccounts {
  /** Only this one; undefined: all. */
  readonly account: string | undefined
  readonly limit: number
}

export interface ZonedAccount extends SettledAccount {
  readonly timeZones: ZoneHistory
}

/** Accounts that have named a time zone. */
export const listZonedAccounts: Query<
  ListZonedAccounts,
  SettledAccount & { readonly time_zones: string },
  ZonedAccount
> = {
  name: 'list_zoned_accounts',
  text: `
    select bucket, account, time_zones
      from account_profile
     where time_zones <> '[]' and ($1::text is null or account = $1)
     limit $2`,
  values: ({ account, limit }) => [account ?? null, limit],
  decode: ({ time_zones, ...key }) => ({ ...key, timeZones: readZones(time_zones) }),
}

export interface AccountTags {
  readonly account: string
  readonly tags: Tags
}

/** Accounts that have tags, by name. */
export const listAccountTags: Query<
  ListZonedAccounts,
  { readonly account: string; readonly tags: string },
  AccountTags
> = {
  name: 'list_account_tags',
  text: `
    select account, tags
      from account_profile
     where tags <> '{}' and ($1::text is null or account = $1)
     order by account
     limit $2`,
  values: ({ account, limit }) => [account ?? null, limit],
  decode: ({ account, tags }) => ({ account, tags: JSON.parse(tags) as Tags }),
}
