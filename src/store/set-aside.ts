import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'
import type { DueCycle } from './cycles.ts'
import type { Query } from './query.ts'
import type { SettledAccount } from './settled-hours.ts'

/** What settlement has set aside: an account, or a whole bucket, whose `account` is ''. */
export interface SetAside extends SettledAccount {
  /** Hours from here on are not settled. */
  readonly hour: Hour
  readonly since: Instant
  readonly attempts: number
  readonly retryAt: Instant
  /** A SQLSTATE, or the name of an error. */
  readonly code: string
  readonly reason: string
}

interface Raw {
  bucket: number
  account: string
  hour: Hour
  since: Date
  attempts: number
  retry_at: Date
  code: string
  reason: string
}

function decode({ since, retry_at, ...raw }: Raw): SetAside {
  return { ...raw, since: since.getTime() as Instant, retryAt: retry_at.getTime() as Instant }
}

export interface InsertSetAside extends SettledAccount {
  readonly code: string
  readonly reason: string
  readonly retryMs: number
}

/** Set an account or a bucket aside, from the next hour of its bucket on. Its bucket is claimed. */
export const insertSetAside: Query<InsertSetAside, Raw, SetAside> = {
  name: 'insert_set_aside',
  text: `
    insert into set_aside (bucket, account, hour, code, reason, retry_at)
    select bucket, $2, settled_until, $3, $4, clock_timestamp() + make_interval(secs => $5::numeric / 1000)
      from bucket
     where bucket = $1
        on conflict do nothing
    returning bucket, account, hour, since, attempts, retry_at, code, reason`,
  values: insertedValues,
  decode,
}

function insertedValues({ bucket, account, code, reason, retryMs }: InsertSetAside): readonly unknown[] {
  return [bucket, account, code, reason, retryMs]
}

/** It was tried again in vain. */
export const updateSetAsideFailed: Query<InsertSetAside, Raw, SetAside> = {
  name: 'update_set_aside_failed',
  text: `
    update set_aside
       set code = $3, reason = $4, attempts = attempts + 1,
           retry_at = clock_timestamp() + make_interval(secs => $5::numeric / 1000)
     where bucket = $1 and account = $2
    returning bucket, account, hour, since, attempts, retry_at, code, reason`,
  values: insertedValues,
  decode,
}

/** The account has settled the hour before `to`. Its bucket is claimed. */
export const updateSetAsideSettled: Query<SettledAccount & { readonly to: Hour }, never, void> = {
  name: 'update_set_aside_settled',
  text: `update set_aside set hour = $3 where bucket = $1 and account = $2 and hour = $3 - 1`,
  values: ({ bucket, account, to }) => [bucket, account, to],
  decode: () => undefined,
}

/** It has caught up. Its bucket is claimed. */
export const deleteSetAside: Query<SettledAccount, never, void> = {
  name: 'delete_set_aside',
  text: `delete from set_aside where bucket = $1 and account = $2`,
  values: ({ bucket, account }) => [bucket, account],
  decode: () => undefined,
}

/** All that is set aside, or some of it, longest first. */
export const listSetAside: Query<{ readonly limit: number }, Raw, SetAside> = {
  name: 'list_set_aside',
  text: `
    select bucket, account, hour, since, attempts, retry_at, code, reason
      from set_aside
     order by hour, since, bucket, account
     limit $1`,
  values: ({ limit }) => [limit],
  decode,
}

export interface SetAsideCounts {
  readonly accounts: number
  readonly buckets: number
}

/** How many accounts and how many whole buckets are set aside. */
export const countSetAside: Query<void, SetAsideCounts, SetAsideCounts> = {
  name: 'count_set_aside',
  text: `
    select count(*) filter (where account <> '')::int as accounts,
           count(*) filter (where account = '')::int as buckets
      from set_aside`,
  values: () => [],
  decode: (raw) => raw,
}

/**
 * What is to be tried again, longest waiting first. A pause that ends later than any can was begun before the clock went
 * back, and is over.
 * @param pauseMsMax null: all of it, whatever its pause
 */
export const listDueRetries: Query<{ readonly pauseMsMax: number | null }, Raw, SetAside> = {
  name: 'list_due_retries',
  text: `
    select bucket, account, hour, since, attempts, retry_at, code, reason
      from set_aside
     where $1::numeric is null or retry_at <= clock_timestamp()
        or retry_at > clock_timestamp() + make_interval(secs => $1::numeric / 1000)
     order by retry_at, bucket, account`,
  values: ({ pauseMsMax }) => [pauseMsMax],
  decode,
}

/** The buckets that have accounts set aside, and are not set aside as a whole: they are settled one by one. */
export const listBucketsApart: Query<void, { bucket: number }, number> = {
  name: 'list_buckets_apart',
  text: `
    select distinct bucket
      from set_aside s
     where not exists (select from set_aside w where w.bucket = s.bucket and w.account = '')
     order by bucket`,
  values: () => [],
  decode: ({ bucket }) => bucket,
}

/** Claim one bucket, whatever it has to settle, until the end of the transaction. @returns its next hour; no row: another process has it */
export const claimBucket: Query<{ readonly bucket: number }, { settled_until: Hour }, Hour> = {
  name: 'claim_bucket',
  text: `select settled_until from bucket where bucket = $1 for update skip locked`,
  values: ({ bucket }) => [bucket],
  decode: ({ settled_until }) => settled_until,
}

export interface FindWorkOf {
  readonly bucket: number
  /** Null: any account of the bucket that is not set aside. */
  readonly account: string | null
}

/** The oldest sealed backfill of a bucket or of one of its accounts. */
export const findBackfillOf: Query<FindWorkOf, { hour: Hour; price_version: number }, DueCycle> = {
  name: 'find_backfill_of',
  text: `
    select hour, price_version
      from backfill_hour h
     where bucket = $1 and price_version is not null
       and (account = $2 or $2 is null
                            and not exists (select from set_aside s where s.bucket = h.bucket and s.account = h.account))
     order by hour, price_version
     limit 1`,
  values: ({ bucket, account }) => [bucket, account],
  decode: ({ hour, price_version }) => ({ hour, priceVersion: price_version }),
}

/** Where an account that is set aside stands, and its bucket. */
export const findProgressOf: Query<
  SettledAccount,
  { hour: Hour; settled_until: Hour },
  { readonly hour: Hour; readonly bucketUntil: Hour }
> = {
  name: 'find_progress_of',
  text: `
    select s.hour, b.settled_until
      from set_aside s
      join bucket b on b.bucket = s.bucket
     where s.bucket = $1 and s.account = $2`,
  values: ({ bucket, account }) => [bucket, account],
  decode: ({ hour, settled_until }) => ({ hour, bucketUntil: settled_until }),
}

/**
 * The accounts of a bucket that a live hour may have to do with, in key order: those with events, late events, releases,
 * voids or restated storage in it, and those that ever stored something. Those set aside are not among them.
 */
export const listCycleAccounts: Query<
  { readonly bucket: number; readonly hour: Hour },
  SettledAccount,
  SettledAccount
> = {
  name: 'list_cycle_accounts',
  text: `
    select $1::smallint as bucket, account
      from (select account from usage_event where hour = $2 and bucket = $1 and cycle = $2
            union select account from late_hour where cycle = $2 and bucket = $1
            union select account from restated_account where cycle = $2 and bucket = $1
            union select account from released_event where cycle = $2 and bucket = $1
            union select account from voided_event where cycle = $2 and bucket = $1
            union select account from storage_series where bucket = $1) a
     where not exists (select from set_aside s where s.bucket = $1 and s.account = a.account)
     order by account collate "C"`,
  values: ({ bucket, hour }) => [bucket, hour],
  decode: (raw) => raw,
}

/** The hour up to which all that is not set aside is settled. No hour: everything is set aside. */
export const findSettlingFront: Query<void, { hour: Hour | null }, Hour | null> = {
  name: 'find_settling_front',
  text: `
    select min(settled_until) as hour
      from bucket b
     where not exists (select from set_aside s where s.bucket = b.bucket and s.account = '')`,
  values: () => [],
  decode: ({ hour }) => hour,
}
