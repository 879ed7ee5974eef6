import type { StretchPosition } from '../core/rate/rating/priced-parts.ts'
import { type Decimal, decimal, plain } from '../core/money/decimal.ts'
import type { Component } from '../core/rate/price-book/price-book.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Month } from '../core/time/zone-month.ts'
import type { Query } from './query.ts'
import type { SettledAccount } from './settled-hours.ts'

export interface AccountPosition extends StretchPosition {
  readonly account: string
}

interface Raw {
  account: string
  component: Component
  item: string
  rate: string
  stretch_from: Hour
  position: string
}

export interface ListPositions {
  readonly accounts: readonly SettledAccount[]
  /** Stretches that begin at this hour or later. */
  readonly from: Hour
}

/** How far these accounts have come in the stretches of their rates. */
export const listPositions: Query<ListPositions, Raw, AccountPosition> = {
  name: 'list_positions',
  text: `
    select p.account, p.component, p.item, p.rate, p.stretch_from, p.position::text as position
      from unnest($1::smallint[], $2::text[]) as k (bucket, account)
      join rate_position p on p.account = k.account and p.bucket = k.bucket and p.stretch_from >= $3`,
  values: ({ accounts, from }) => [
    accounts.map(({ bucket }) => bucket),
    accounts.map(({ account }) => account),
    from,
  ],
  decode: ({ account, position, stretch_from, ...rate }) => ({
    account,
    stretch: { ...rate, from: stretch_from },
    position: decimal(position),
  }),
}

/** A stretch of an account, with the position at which a bill leaves it. */
export interface MovedPosition extends SettledAccount, StretchPosition {}

/** Note how far accounts have come. Their buckets are claimed. */
export const updatePositions: Query<readonly MovedPosition[], never, void> = {
  name: 'update_positions',
  text: `
    insert into rate_position (bucket, account, component, item, rate, stretch_from, position)
    select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::numeric[])
        on conflict (account, stretch_from, component, item, rate, bucket) do update
       set position = excluded.position`,
  values: (moved) => [
    moved.map(({ bucket }) => bucket),
    moved.map(({ account }) => account),
    moved.map(({ stretch }) => stretch.component),
    moved.map(({ stretch }) => stretch.item),
    moved.map(({ stretch }) => stretch.rate),
    moved.map(({ stretch }) => stretch.from),
    moved.map(({ position }) => plain(position)),
  ],
  decode: () => undefined,
}

export interface AccountMonth extends SettledAccount {
  readonly month: Month
  readonly first: Hour
}

/** The first hours of months of these accounts, as far as they were used. */
export const listAccountMonths: Query<
  readonly SettledAccount[],
  { bucket: number; account: string; month: Month; first_hour: Hour },
  AccountMonth
> = {
  name: 'list_account_months',
  text: `
    select m.bucket, m.account, m.month, m.first_hour
      from unnest($1::smallint[], $2::text[]) as k (bucket, account)
      join account_month m on m.account = k.account and m.bucket = k.bucket`,
  values: (accounts) => [accounts.map(({ bucket }) => bucket), accounts.map(({ account }) => account)],
  decode: ({ first_hour, ...raw }) => ({ ...raw, first: first_hour }),
}

/** Note the first hours of months that were used for the first time. */
export const insertAccountMonths: Query<readonly AccountMonth[], never, void> = {
  name: 'insert_account_months',
  text: `
    insert into account_month (bucket, account, month, first_hour)
    select * from unnest($1::smallint[], $2::text[], $3::int[], $4::int[])
        on conflict do nothing`,
  values: (months) => [
    months.map(({ bucket }) => bucket),
    months.map(({ account }) => account),
    months.map(({ month }) => month),
    months.map(({ first }) => first),
  ],
  decode: () => undefined,
}

/** A line whose position is not the one that the lines before it leave, or a stretch whose position is not their sum. */
export interface BrokenPosition {
  readonly account: string
  readonly item: string
  readonly rate: string
  readonly stretchFrom: Hour
  /** The bill's hour and the line's number; null: it is the position that settlement keeps. */
  readonly hour: Hour | null
  readonly number: number | null
  readonly is: Decimal
  readonly wanted: Decimal
}

interface RawBroken {
  account: string
  item: string
  rate: string
  stretch_from: Hour
  hour: Hour | null
  number: number | null
  is_position: string
  wanted: string
}

/**
 * One pass over all lines with a position, in the order in which they were counted: by sequence, usage hour and key; a
 * quantity that gives back counts down through its tiers.
 */
export const findBrokenPositions: Query<{ readonly account: string | null }, RawBroken, BrokenPosition> = {
  name: 'find_broken_positions',
  text: `
    with counted as materialized (
      select l.bucket, l.account, l.component, l.item, l.rate, l.stretch_from, l.hour, l.number, l.position, l.quantity,
             coalesce(lag(l.position + l.quantity) over (
               partition by l.bucket, l.account, l.component, l.item, l.rate, l.stretch_from
                   order by b.sequence, l.usage_hour, l.operation nulls first, l.project nulls first,
                            l.region nulls first,
                            case when l.quantity < 0 then -l.position else l.position end), 0) as wanted
        from bill_line l
        join bill b on b.hour = l.hour and b.bucket = l.bucket and b.account = l.account
       where l.stretch_from is not null and ($1::text is null or l.account = $1)
    ), kept as (
      select * from rate_position where $1::text is null or account = $1
    ), summed as (
      select bucket, account, component, item, rate, stretch_from, sum(quantity) as position
        from counted
       group by bucket, account, component, item, rate, stretch_from
    )
    select account, item, rate, stretch_from, hour, number, position::text as is_position, wanted::text as wanted
      from counted
     where position is distinct from wanted
     union all
    select account, item, rate, stretch_from, null, null, coalesce(k.position, 0)::text, coalesce(s.position, 0)::text
      from kept k
      full join summed s using (bucket, account, component, item, rate, stretch_from)
     where coalesce(k.position, 0) <> coalesce(s.position, 0)
     order by account, stretch_from, hour nulls last, number`,
  values: ({ account }) => [account],
  decode: ({ is_position, wanted, stretch_from, ...raw }) => ({
    ...raw,
    stretchFrom: stretch_from,
    is: decimal(is_position),
    wanted: decimal(wanted),
  }),
}
