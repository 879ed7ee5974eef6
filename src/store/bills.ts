import type { Hour } from '../core/time/hour.ts'
import { BILL_COLUMNS, decodeBill, type RawBill, type StoredBill } from './bill-row.ts'
import type { Query } from './query.ts'

export interface FindBillRow {
  readonly hour: Hour
  readonly bucket: number
  readonly account: string
}

/** One bill without its lines, by its primary key. */
export const findBillRow: Query<FindBillRow, RawBill, StoredBill> = {
  name: 'find_bill_row',
  text: `select ${BILL_COLUMNS} from bill where hour = $1 and bucket = $2 and account = $3`,
  values: ({ hour, bucket, account }) => [hour, bucket, account],
  decode: decodeBill,
}

export interface ListBillRows {
  /** Cycles that start in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** The last bill of the page before. */
  readonly after: FindBillRow | undefined
  readonly limit: number
}

/** Bills of all accounts by cycle, without their lines: the order of the primary key, read from it. */
export const listBillRows: Query<ListBillRows, RawBill, StoredBill> = {
  name: 'list_bill_rows',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where hour >= $1 and hour < $2
       and hour >= $3 and (hour, bucket, account) > ($3, $4, $5)
     order by hour, bucket, account
     limit $6`,
  values: ({ from, to, after, limit }) => {
    const start = after ?? { hour: from, bucket: -1, account: '' }
    return [from, to, start.hour, start.bucket, start.account, limit]
  },
  decode: decodeBill,
}

export interface ListAccountBills {
  readonly account: string
  /** Cycles that start in [from, to). An account has at most one bill a cycle. */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

/** Bills of one account by cycle, without their lines. Uses the index bill_account. */
export const listAccountBills: Query<ListAccountBills, RawBill, StoredBill> = {
  name: 'list_account_bills',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where account = $1 and hour >= $2 and hour < $3
     order by hour
     limit $4`,
  values: ({ account, from, to, limit }) => [account, from, to, limit],
  decode: decodeBill,
}

export interface ReadHour {
  readonly hour: Hour
  readonly buckets: readonly number[]
  /** Only this account; null: all. */
  readonly account: string | null
}

/** The bills of an hour in key order, without their lines. */
export const listHourBills: Query<ReadHour, RawBill, StoredBill> = {
  name: 'list_hour_bills',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where hour = $1 and bucket = any ($2) and ($3::text is null or account = $3)
     order by bucket, account`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: decodeBill,
}

export interface ListBilledHours {
  readonly bucket: number
  readonly account: string
  readonly hours: readonly Hour[]
  /** Bills of lower steps only; null: all. */
  readonly beforeStep: number | null
}

/** For which of these hours the account has a bill. */
export const listBilledHours: Query<ListBilledHours, { hour: Hour }, Hour> = {
  name: 'list_billed_hours',
  text: `
    select hour from bill
     where account = $2 and bucket = $1 and hour = any ($3) and ($4::bigint is null or step < $4)`,
  values: ({ bucket, account, hours, beforeStep }) => [bucket, account, hours, beforeStep],
  decode: ({ hour }) => hour,
}

export interface CycleBills {
  readonly hour: Hour
  /** Of all accounts, those of backfill included. */
  readonly bills: number
  /** Lines of these bills that correct an older hour. */
  readonly corrections: number
}

/** Bills of some hours, which are settled: a range of the key of each, and of the index bill_line_correction_cycle. */
export const countCycleBills: Query<{ readonly hours: readonly Hour[] }, CycleBills, CycleBills> = {
  name: 'count_cycle_bills',
  text: `
    select hour,
           (select count(*) from bill b where b.hour = h.hour)::int as bills,
           (select count(*) from bill_line l where l.hour = h.hour and l.usage_hour <> l.hour)::int as corrections
      from unnest($1::int[]) as h (hour)`,
  values: ({ hours }) => [hours],
  decode: (raw) => raw,
}

export interface BrokenChain {
  readonly account: string
  /** Where it breaks: the bill after the break; null: after the newest bill. */
  readonly hour: Hour | null
  /** The sequence that should be there, and the one that is. */
  readonly wanted: number
  readonly found: number | null
  /** Is the sequence right, and the digest before it another? */
  readonly digestDiffers: boolean
}

interface Raw {
  account: string
  hour: Hour | null
  wanted: string
  found: string | null
  digest_differs: boolean
}

/**
 * Where an account's bills do not follow each other: a number is missing, or a bill does not name the digest of the one
 * before it. Its newest bill is held against what the account remembers.
 */
export const findBrokenChains: Query<{ readonly account: string | null }, Raw, BrokenChain> = {
  name: 'find_broken_chains',
  text: `
    with links as (
      select account, hour, sequence, previous_digest, 1 + coalesce(lag(sequence) over chain, 0) as wanted,
             lag(digest) over chain as before
        from bill
       where $1::text is null or account = $1
      window chain as (partition by account order by sequence)
       union all
      select a.account, null, b.sequence + 1, a.last_digest, a.last_sequence + 1, b.digest
        from account a
        left join lateral (select sequence, digest from bill b
                            where b.account = a.account order by sequence desc limit 1) b on true
       where a.last_sequence > 0 and ($1::text is null or a.account = $1))
    select account, hour, wanted, sequence as found,
           sequence is not distinct from wanted and previous_digest is distinct from before as digest_differs
      from links
     where sequence is distinct from wanted or previous_digest is distinct from before
     order by account, sequence`,
  values: ({ account }) => [account],
  decode: (raw) => ({
    account: raw.account,
    hour: raw.hour,
    wanted: Number(raw.wanted),
    found: raw.found === null ? null : Number(raw.found),
    digestDiffers: raw.digest_differs,
  }),
}

/** Make the partitions for bills of the month that contains an hour, if they are missing. */
export const insertBillMonth: Query<{ readonly hour: Hour }, never, void> = {
  name: 'insert_bill_month',
  text: `select add_bill_month($1)`,
  values: ({ hour }) => [hour],
  decode: () => undefined,
}
