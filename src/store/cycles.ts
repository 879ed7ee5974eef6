import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'

export interface InsertCycles {
  /** Hours in [from, to) are sealed now, with the newest price version. */
  readonly from: Hour
  readonly to: Hour
}

/** Seal live hours: their cycles begin to exist. Only while holding the gate alone. */
export const insertCycles: Query<InsertCycles, never, void> = {
  name: 'insert_cycles',
  text: `
    insert into cycle (hour, price_version, sealed_at)
    select hour, d.price_version, clock_timestamp()
      from deployment d, generate_series($1::int, $2::int - 1) as hour`,
  values: ({ from, to }) => [from, to],
  decode: () => undefined,
}

export interface DueCycle {
  readonly hour: Hour
  readonly priceVersion: number
}

/** The sealed live hours that some bucket has not settled, oldest first; buckets that are set aside do not count. */
export const listDueCycles: Query<
  { readonly limit: number },
  { hour: Hour; price_version: number },
  DueCycle
> = {
  name: 'list_due_cycles',
  text: `
    select c.hour, c.price_version
      from cycle c
     where c.hour >= (select min(settled_until) from bucket b
                       where not exists (select from set_aside s where s.bucket = b.bucket and s.account = ''))
     order by c.hour
     limit $1`,
  values: ({ limit }) => [limit],
  decode: ({ hour, price_version }) => ({ hour, priceVersion: price_version }),
}

/** Hours whose bills are to be made: sealed live ones, and those of sealed backfill. */
export const countDueHours: Query<void, { hours: number }, number> = {
  name: 'count_due_hours',
  text: `
    select (select count(*) from cycle where hour >= (select min(settled_until) from bucket))::int
         + (select count(*) from (select distinct hour, price_version
                                    from backfill_hour where price_version is not null) h)::int as hours`,
  values: () => [],
  decode: ({ hours }) => hours,
}

/** The price version with which a live hour was sealed; none: it is not sealed, or no live hour. By primary key. */
export const findCycleVersion: Query<{ readonly hour: Hour }, { price_version: number }, number> = {
  name: 'find_cycle_version',
  text: 'select price_version from cycle where hour = $1',
  values: ({ hour }) => [hour],
  decode: ({ price_version }) => price_version,
}

export interface ListCycleRows {
  /** Hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

export interface CycleRow {
  readonly hour: Hour
  readonly priceVersion: number
  readonly sealedAt: Instant
  readonly settledAt: Instant | null
}

interface RawCycle {
  readonly hour: Hour
  readonly price_version: number
  readonly sealed_at: Date
  readonly settled_at: Date | null
}

/** Sealed hours, newest first. */
export const listCycleRows: Query<ListCycleRows, RawCycle, CycleRow> = {
  name: 'list_cycle_rows',
  text: `
    select hour, price_version, sealed_at, settled_at
      from cycle
     where hour >= $1 and hour < $2
     order by hour desc
     limit $3`,
  values: ({ from, to, limit }) => [from, to, limit],
  decode: (raw) => ({
    hour: raw.hour,
    priceVersion: raw.price_version,
    sealedAt: raw.sealed_at.getTime() as Instant,
    settledAt: (raw.settled_at?.getTime() ?? null) as Instant | null,
  }),
}

/** The newest hour that has its bills, and since when. */
export const findNewestLag: Query<
  void,
  { hour: Hour; settled_at: Date },
  { readonly hour: Hour; readonly settledAt: Instant }
> = {
  name: 'find_newest_lag',
  text: `select hour, settled_at from cycle where settled_at is not null order by hour desc limit 1`,
  values: () => [],
  decode: ({ hour, settled_at }) => ({ hour, settledAt: settled_at.getTime() as Instant }),
}
