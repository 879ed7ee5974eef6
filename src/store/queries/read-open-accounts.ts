import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadOpenAccounts {
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

export interface OpenAccount {
  readonly bucket: number
  readonly account: string
}

/**
 * The accounts that may have usage on no bill yet in some hours, each once, and perhaps some more: those with events in
 * hours that are not settled (one probe of the primary key an account and hour), with late usage, history, releases and
 * voids, and those that store something.
 */
export const readOpenAccounts: Query<ReadOpenAccounts, OpenAccount, OpenAccount> = {
  name: 'read_open_accounts',
  text: `
    with mark as (select min(settled_until) as settled_until from bucket),
    open as (
      select hour
        from mark, generate_series(greatest($1::int, settled_until), $2::int - 1) as hour),
    sender as (
      select s.bucket, s.account
        from open o
       cross join lateral (
         with recursive step as (
           (select bucket, account
              from usage_event
             where hour = o.hour and hour >= $1 and hour < $2
             order by bucket, account
             limit 1)
           union all
           select n.bucket, n.account
             from step s
            cross join lateral (
              select bucket, account
                from usage_event
               where hour = o.hour and hour >= $1 and hour < $2 and (bucket, account) > (s.bucket, s.account)
               order by bucket, account
               limit 1) n)
         select bucket, account from step limit $3) s),
    keeper as (
      select s.bucket, s.account
        from storage_series s
       cross join lateral (
         select bytes
           from storage_level l
          where l.bucket = s.bucket and l.account = s.account and l.project = s.project and l.dataset = s.dataset
            and void_step is null
          order by at desc, source desc, id desc
          limit 1) l
       where l.bytes > 0 and exists (select from open))
    select bucket, account from sender
    union
    select bucket, account from keeper
    union
    select bucket, account from mark, late_hour where cycle >= settled_until and hour >= $1 and hour < $2
    union
    select bucket, account from history_hour where hour >= $1 and hour < $2
    union
    select bucket, account from mark, released_event where cycle >= settled_until and hour >= $1 and hour < $2
    union
    select bucket, account from mark, voided_event where cycle >= settled_until and hour >= $1 and hour < $2
     order by bucket, account
     limit $3`,
  values: ({ from, to, limit }) => [from, to, limit],
  decode: (raw) => raw,
}
