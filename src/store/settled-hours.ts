import { type AccountHourKey, boundsOf } from './key-columns.ts'
import type { Query } from './query.ts'
import type { FindBillRow, ReadHour } from './bills.ts'

export interface SettledAccount {
  readonly bucket: number
  readonly account: string
}

export interface AccountState extends SettledAccount {
  readonly step: number
  readonly sequence: number
  /** Of the newest bill, hexadecimal; null before the first. */
  readonly digest: string | null
}

interface Raw {
  bucket: number
  account: string
  last_step: string
  last_sequence: string
  digest: string | null
}

/** How far settlement has come with these accounts. Those it does not know have no row. */
export const listAccountStates: Query<readonly SettledAccount[], Raw, AccountState> = {
  name: 'list_account_states',
  text: `
    select a.bucket, a.account, a.last_step, a.last_sequence, encode(a.last_digest, 'hex') as digest
      from unnest($1::smallint[], $2::text[]) as k (bucket, account)
      join account a on a.bucket = k.bucket and a.account = k.account`,
  values: (accounts) => [accounts.map(({ bucket }) => bucket), accounts.map(({ account }) => account)],
  decode: (raw) => ({
    bucket: raw.bucket,
    account: raw.account,
    step: Number(raw.last_step),
    sequence: Number(raw.last_sequence),
    digest: raw.digest,
  }),
}

/** Note how far settlement has come with these accounts. Their buckets are claimed. */
export const updateAccountStates: Query<readonly AccountState[], never, void> = {
  name: 'update_account_states',
  text: `
    insert into account (bucket, account, last_step, last_sequence, last_digest)
    select bucket, account, step, sequence, decode(digest, 'hex')
      from unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
           as k (bucket, account, step, sequence, digest)
        on conflict (bucket, account) do update
       set last_step = excluded.last_step,
           last_sequence = excluded.last_sequence,
           last_digest = excluded.last_digest`,
  values: (states) => [
    states.map(({ bucket }) => bucket),
    states.map(({ account }) => account),
    states.map(({ step }) => step),
    states.map(({ sequence }) => sequence),
    states.map(({ digest }) => digest),
  ],
  decode: () => undefined,
}

/** An account-hour that is settled and has no bill. */
export interface HourWithoutBill extends SettledAccount {
  readonly step: number
  readonly priceVersion: number
  /** Hexadecimal. */
  readonly eventsDigest: string
}

interface Raw {
  bucket: number
  account: string
  step: string
  price_version: number
  events_digest: string
}

/** Who is settled for an hour without a bill, in key order. */
export const listSettledHours: Query<ReadHour, Raw, HourWithoutBill> = {
  name: 'list_settled_hours',
  text: `
    select bucket, account, step, price_version, encode(events_digest, 'hex') as events_digest
      from settled_hour
     where hour = $1 and bucket = any ($2) and ($3::text is null or account = $3)
     order by bucket, account`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: (raw) => ({
    bucket: raw.bucket,
    account: raw.account,
    step: Number(raw.step),
    priceVersion: raw.price_version,
    eventsDigest: raw.events_digest,
  }),
}

/** The price version of an account-hour that was settled without a bill, because nothing in it has a fee. */
export const findSettledHour: Query<FindBillRow, { price_version: number }, number> = {
  name: 'find_settled_hour',
  text: `select price_version from settled_hour where hour = $1 and bucket = $2 and account = $3`,
  values: ({ hour, bucket, account }) => [hour, bucket, account],
  decode: (raw) => raw.price_version,
}

/**
 * Which of these account-hours take no more events: they have a bill, were settled without one, or are sealed as
 * backfill. One statement, so that an hour that is being settled is seen in one of its states.
 */
export const findClosedHours: Query<readonly AccountHourKey[], { index: string }, number> = {
  name: 'find_closed_hours',
  text: `
    select k.index
      from unnest($1::smallint[], $2::text[], $3::int[]) with ordinality as k (bucket, account, hour, index)
     where exists (select from bill b
                    where b.hour = k.hour and b.hour between $4 and $5 and b.bucket = k.bucket and b.account = k.account)
        or exists (select from settled_hour s
                    where s.hour = k.hour and s.hour between $4 and $5 and s.bucket = k.bucket
                      and s.account = k.account)
        or exists (select from backfill_hour h
                    where h.bucket = k.bucket and h.account = k.account and h.hour = k.hour
                      and h.price_version is not null)`,
  values: (keys) => [
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
    ...boundsOf(keys),
  ],
  decode: ({ index }) => Number(index) - 1,
}

/** An account's cycle below `sealedUntil`. `index` is that of its key. */
export interface SealedVersion {
  readonly index: number
  /** The price version with which it was sealed; null: it is open, as backfill. */
  readonly priceVersion: number | null
}

/**
 * With which price version these account-hours were sealed, or whether they are open as backfill. One statement, so
 * that an hour that is being settled is seen in one of its states. Only for hours below `sealedUntil`.
 */
export const listSealedVersions: Query<
  readonly AccountHourKey[],
  { index: string; price_version: number | null },
  SealedVersion
> = {
  name: 'list_sealed_versions',
  text: `
    select k.index,
           case when h.hour is not null and h.price_version is null then null
                else coalesce(b.price_version, s.price_version, h.price_version, c.price_version) end as price_version
      from unnest($1::smallint[], $2::text[], $3::int[]) with ordinality as k (bucket, account, hour, index)
      left join backfill_hour h on h.bucket = k.bucket and h.account = k.account and h.hour = k.hour
      left join bill b
        on b.hour = k.hour and b.hour between $4 and $5 and b.bucket = k.bucket and b.account = k.account
      left join settled_hour s
        on s.hour = k.hour and s.hour between $4 and $5 and s.bucket = k.bucket and s.account = k.account
      left join cycle c on c.hour = k.hour`,
  values: (keys) => [
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
    ...boundsOf(keys),
  ],
  decode: ({ index, price_version }) => ({ index: Number(index) - 1, priceVersion: price_version }),
}
