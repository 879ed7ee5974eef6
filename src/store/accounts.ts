import type { Query } from './query.ts'
import {
  type AccountProfile,
  decodeProfile,
  type Profile,
  type RawProfile,
  readZones,
  tagsText,
  zonesText,
} from './account-profile.ts'
import type { ListAssignment } from '../core/rate/rating/account-prices.ts'
import type { Instant } from '../core/time/instant.ts'
import type { ZoneHistory } from '../core/time/zone-history.ts'

export interface InsertAccountProfile {
  readonly account: string
  readonly bucket: number
}

/** Make an account known, with nothing said about it yet. @returns a row if it was not */
export const insertAccountProfile: Query<InsertAccountProfile, { account: string }, string> = {
  name: 'insert_account_profile',
  text: `
    insert into account_profile (account, bucket) values ($1, $2)
        on conflict (account) do nothing
    returning account`,
  values: ({ account, bucket }) => [account, bucket],
  decode: ({ account }) => account,
}

/** The profile of an account, which nobody else changes until the transaction ends. */
export const lockAccountProfile: Query<{ readonly account: string }, RawProfile, AccountProfile> = {
  name: 'lock_account_profile',
  text: `
    select account, name, tags, time_zones, closed_at, created_at, updated_at
      from account_profile
     where account = $1
       for update`,
  values: ({ account }) => [account],
  decode: decodeProfile,
}

export interface UpdateAccountProfile extends Profile {
  readonly account: string
}

/** Replace what is said about an account, but for its closing. @returns when */
export const updateAccountProfile: Query<UpdateAccountProfile, { updated_at: Date }, Instant> = {
  name: 'update_account_profile',
  text: `
    update account_profile
       set name = $2, tags = $3, time_zones = $4, updated_at = clock_timestamp()
     where account = $1
    returning updated_at`,
  values: ({ account, name, tags, timeZones }) => [account, name, tagsText(tags), zonesText(timeZones)],
  decode: ({ updated_at }) => updated_at.getTime() as Instant,
}

export interface UpdateAccountClosing {
  readonly account: string
  /** Null opens it again. */
  readonly closedAt: Instant | null
}

/** Close an account or open it, as the next version of all accounts. Only while holding the gate alone. */
export const updateAccountClosing: Query<UpdateAccountClosing, never, void> = {
  name: 'update_account_closing',
  text: `
    with raised as (
      update deployment set accounts_version = accounts_version + 1 returning accounts_version)
    update account_profile
       set closed_at = $2, closed_version = raised.accounts_version, levels_ended = 0,
           updated_at = clock_timestamp()
      from raised
     where account = $1`,
  values: ({ account, closedAt }) => [account, closedAt],
  decode: () => undefined,
}

/** Which of these accounts are known: have a profile. One probe of the primary key each. */
export const findKnownAccounts: Query<readonly string[], { account: string }, string> = {
  name: 'find_known_accounts',
  text: `select account from account_profile where account = any ($1)`,
  values: (accounts) => [accounts],
  decode: ({ account }) => account,
}

export interface ListAccountRows {
  /** Only this one; undefined: all. */
  readonly account: string | undefined
  /** Accounts behind this one, by UTF-8 bytes; undefined: from the first. */
  readonly after: string | undefined
  readonly limit: number
}

type Nullable<Row> = { readonly [Name in keyof Row]: Row[Name] | null }

interface Raw extends Nullable<Omit<RawProfile, 'account'>> {
  readonly account: string
  readonly price_lists: readonly ListAssignment[]
}

/** An account of the list: without a profile, if it was only billed so far. */
export interface ListedAccount {
  readonly account: string
  readonly profile: AccountProfile | undefined
  /** From which hour on it pays by which list; in order. */
  readonly priceLists: readonly ListAssignment[]
}

/** Accounts that are known or were billed, by name: two range scans, merged. */
export const listAccountRows: Query<ListAccountRows, Raw, ListedAccount> = {
  name: 'list_account_rows',
  text: `
    with named as (
      (select account from account_profile
        where account > $2 and ($1::text is null or account = $1) order by account limit $3)
      union
      (select account from account
        where account > $2 and ($1::text is null or account = $1) and last_sequence > 0 order by account limit $3)
      order by account
      limit $3)
    select n.account, p.name, p.tags, p.time_zones, p.closed_at, p.created_at, p.updated_at,
           (select coalesce(json_agg(json_build_object('list', l.list, 'from', l.from_hour) order by l.from_hour), '[]')
              from account_price_list l where l.account = n.account) as price_lists
      from named n
      left join account_profile p on p.account = n.account
     order by n.account`,
  values: ({ account, after, limit }) => [account ?? null, after ?? '', limit],
  decode: (raw) => ({
    account: raw.account,
    profile: raw.tags === null ? undefined : decodeProfile(raw as RawProfile),
    priceLists: raw.price_lists,
  }),
}

/** What changed about closed accounts since a version. */
export interface ClosedChanges {
  /** The newest version. */
  readonly version: number
  /** `closedAt` is null where the account was opened again. */
  readonly accounts: readonly { readonly account: string; readonly closedAt: Instant | null }[]
}

interface Raw {
  version: number
  accounts: string[]
  closed: (string | null)[]
}

/** The closings and openings after a version (0: all), and the version that they lead to: one statement, one moment. */
export const listClosedAccounts: Query<{ readonly since: number }, Raw, ClosedChanges> = {
  name: 'list_closed_accounts',
  text: `
    select d.accounts_version as version, c.accounts, c.closed
      from deployment d
     cross join (
       select coalesce(array_agg(account), '{}') as accounts, coalesce(array_agg(closed_at::text), '{}') as closed
         from account_profile
        where closed_version > $1) c`,
  values: ({ since }) => [since],
  decode: ({ version, accounts, closed }) => ({
    version,
    accounts: accounts.map((account, index) => {
      const at = closed[index] ?? null
      return { account, closedAt: at === null ? null : (Number(at) as Instant) }
    }),
  }),
}

export interface AccountZones {
  readonly account: string
  readonly timeZones: ZoneHistory
}

/** The time zones of those of some accounts that have named any. */
export const listTimeZones: Query<readonly string[], { account: string; time_zones: string }, AccountZones> =
  {
    name: 'list_time_zones',
    text: `select account, time_zones from account_profile where account = any ($1) and time_zones <> '[]'`,
    values: (accounts) => [accounts],
    decode: ({ account, time_zones }) => ({ account, timeZones: readZones(time_zones) }),
  }

/** A closed account some of whose levels may not count as 0 yet. */
export interface UnendedAccount {
  readonly account: string
  readonly closedAt: Instant
  /** Of this closing, and no other. */
  readonly closedVersion: number
}

/** Closed accounts whose levels were not ended under the newest price version: one of them, or the first few. */
export const findUnendedAccounts: Query<
  { readonly account: string | undefined; readonly limit: number },
  { account: string; closed_at: string; closed_version: number },
  UnendedAccount
> = {
  name: 'find_unended_accounts',
  text: `
    select account, closed_at, closed_version
      from account_profile
     where closed_at is not null and levels_ended < (select price_version from deployment)
       and ($2::text is null or account = $2)
     order by levels_ended, account
     limit $1`,
  values: ({ account, limit }) => [limit, account ?? null],
  decode: (raw) => ({
    account: raw.account,
    closedAt: Number(raw.closed_at) as Instant,
    closedVersion: raw.closed_version,
  }),
}

export interface UpdateLevelsEnded extends UnendedAccount {
  readonly priceVersion: number
}

/** All levels of the account count as 0 from its closing on. Nothing, if it was opened or closed again meanwhile. */
export const updateLevelsEnded: Query<UpdateLevelsEnded, never, void> = {
  name: 'update_levels_ended',
  text: `
    update account_profile set levels_ended = $3
     where account = $1 and closed_version = $2 and levels_ended < $3`,
  values: ({ account, closedVersion, priceVersion }) => [account, closedVersion, priceVersion],
  decode: () => undefined,
}
