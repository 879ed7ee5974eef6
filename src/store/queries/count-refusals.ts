import type { Query } from '../query.ts'

/** Whose refusals they are, of which source, and why. '' for an account or source that is unknown. */
export interface RefusalKind {
  readonly account: string
  readonly source: string
  readonly code: string
  readonly outcome: 'rejected' | 'conflict'
}

export interface CountRefusals {
  readonly kinds: readonly (RefusalKind & { readonly times: number })[]
  /** Kinds beyond this number are counted without account and source. */
  readonly kindsMax: number
}

/** Where a kind was counted. */
export interface CountedKind extends RefusalKind {
  /** Of the given kinds, from 0. */
  readonly index: number
  /** The UTC hour by the database's clock, and how many of the kind were kept in it so far. */
  readonly hour: number
  readonly kept: number
}

interface RawCounted extends Omit<CountedKind, 'index'> {
  readonly place: string
}

/**
 * Count refusals, by the primary key and in its order, against deadlocks. From here to the commit no other transaction
 * counts the same kinds, so a later statement sees all that was kept of them. The number of all kinds is looked at only
 * for a new one; transactions that add kinds at the same moment do not see each other's.
 */
export const countRefusals: Query<CountRefusals, RawCounted, CountedKind> = {
  name: 'count_refusals',
  text: `
    with given as (
      select g.*, c.times is not null as known
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
             with ordinality as g (account, source, code, outcome, added, place)
        left join refusal_count c using (account, source, code, outcome)
    ), judged as (
      select *,
             known or (account = '' and source = '')
             or (select count(*) from refusal_count) + count(*) filter (where not known) over (order by place) <= $6
             as fits
        from given
    ), placed as (
      select place, added, code, outcome,
             case when fits then account else '' end as account,
             case when fits then source else '' end as source
        from judged
    ), counted as (
      insert into refusal_count as c (account, source, code, outcome, times, first_at, last_at)
      select account, source, code, outcome, sum(added), clock_timestamp(), clock_timestamp()
        from placed
       group by account, source, code, outcome
       order by account collate "C", source collate "C", code collate "C", outcome collate "C"
          on conflict (account, source, code, outcome) do update
         set times = c.times + excluded.times, last_at = greatest(c.last_at, clock_timestamp())
      returning account, source, code, outcome, kept_hour, kept
    ), clock as (
      select floor(extract(epoch from clock_timestamp()) / 3600)::int as hour
    )
    select place, account, source, code, outcome, hour, case when kept_hour = hour then kept else 0 end as kept
      from placed join counted using (account, source, code, outcome), clock
     order by place`,
  values: ({ kinds, kindsMax }) => [
    kinds.map(({ account }) => account),
    kinds.map(({ source }) => source),
    kinds.map(({ code }) => code),
    kinds.map(({ outcome }) => outcome),
    kinds.map(({ times }) => times),
    kindsMax,
  ],
  decode: ({ place, ...counted }) => ({ index: Number(place) - 1, ...counted }),
}
