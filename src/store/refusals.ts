import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'

export interface RefusedEvent {
  readonly outcome: 'rejected' | 'conflict'
  /** As far as they could be read. */
  readonly account: string | null
  readonly source: string | null
  readonly id: string | null
  readonly code: string
  readonly detail: string
  /** The beginning of what was sent, storable. */
  readonly body: string
}

export interface InsertRefusedEvents {
  readonly events: readonly (RefusedEvent & RepeatedRefusal)[]
  /** Where they were counted, in this transaction, and how many of `events` are of each. */
  readonly kinds: readonly (RefusalKind & { readonly added: number })[]
  /** The UTC hour in which they were counted. */
  readonly hour: number
}

/** Keep what was not accepted, for inspection, and note how many of each kind were. In order of digests. */
export const insertRefusedEvents: Query<InsertRefusedEvents, never, void> = {
  name: 'insert_refused_events',
  text: `
    with noted as (
      update refusal_count c
         set kept = k.added + case when c.kept_hour = $9 then c.kept else 0 end, kept_hour = $9
        from unnest($10::text[], $11::text[], $12::text[], $13::text[], $14::int[])
             as k (account, source, code, outcome, added)
       where (c.account, c.source, c.code, c.outcome) = (k.account, k.source, k.code, k.outcome)
    )
    insert into refused_event as e
           (digest, times, outcome, account, source, id, code, detail, body, first_at, last_at)
    select decode(hex, 'hex') as digest, times, outcome, account, source, id, code, detail, body,
           clock_timestamp(), clock_timestamp()
      from unnest($1::text[], $2::bigint[],
                  $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $15::text[])
           as g (hex, times, outcome, account, source, id, code, detail, body)
     order by digest
        on conflict (digest) do update
       set times = e.times + excluded.times, last_at = greatest(e.last_at, excluded.last_at)`,
  values: ({ events, kinds, hour }) => [
    events.map(({ digest }) => digest),
    events.map(({ times }) => times),
    events.map(({ outcome }) => outcome),
    events.map(({ account }) => account),
    events.map(({ source }) => source),
    events.map(({ id }) => id),
    events.map(({ code }) => code),
    events.map(({ detail }) => detail),
    hour,
    kinds.map(({ account }) => account),
    kinds.map(({ source }) => source),
    kinds.map(({ code }) => code),
    kinds.map(({ outcome }) => outcome),
    kinds.map(({ added }) => added),
    events.map(({ body }) => body),
  ],
  decode: () => undefined,
}

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

/**
 * Forget the oldest refused events beyond the newest `kept`, by the primary key. Those that are being counted up at this
 * moment are passed over, so that nobody waits for anybody. Their counts by kind stay.
 */
export const deleteOldRefusedEvents: Query<{ readonly kept: number }, never, void> = {
  name: 'delete_old_refused_events',
  text: `
    delete from refused_event
     where number = any (array(
       select number from refused_event
        where number <= (select number from refused_event order by number desc offset $1 limit 1)
          for update skip locked))`,
  values: ({ kept }) => [kept],
  decode: () => undefined,
}

export interface ListRefusalCountRows {
  /** Undefined: of all accounts, and those whose account is unknown. */
  readonly account: string | undefined
  /** The key of the last one of the page before: account, source, code, outcome; '' for what is unknown. */
  readonly after: readonly [string, string, string, string] | undefined
  readonly limit: number
}

export interface RefusalCount {
  /** Null: it could not be read, or the kind is beyond those that are counted by name. */
  readonly account: string | null
  readonly source: string | null
  readonly code: string
  readonly outcome: 'rejected' | 'conflict'
  readonly times: number
  readonly firstAt: Instant
  readonly lastAt: Instant
}

interface RawCount extends Omit<RefusalCount, 'times' | 'firstAt' | 'lastAt'> {
  readonly times: string
  readonly first_at: Date
  readonly last_at: Date
}

/** How often what was refused, by the primary key and in its order. */
export const listRefusalCountRows: Query<ListRefusalCountRows, RawCount, RefusalCount> = {
  name: 'list_refusal_count_rows',
  text: `
    select nullif(account, '') as account, nullif(source, '') as source, code, outcome, times, first_at, last_at
      from refusal_count c
     where ($1::text is null or c.account = $1)
       and ($2::text is null or (c.account, c.source, c.code, c.outcome) > ($2, $3, $4, $5))
     order by c.account, c.source, c.code, c.outcome
     limit $6`,
  values: ({ account, after, limit }) => [account ?? null, ...(after ?? [null, null, null, null]), limit],
  decode: ({ times, first_at, last_at, ...row }) => ({
    ...row,
    times: Number(times),
    firstAt: first_at.getTime() as Instant,
    lastAt: last_at.getTime() as Instant,
  }),
}

export interface ListRefusedEventRows {
  /** Undefined: of all accounts, and those whose account could not be read. */
  readonly account: string | undefined
  readonly id: string | undefined
  readonly source: string | undefined
  /** Numbers below this one; undefined: from the newest on. */
  readonly before: number | undefined
  readonly limit: number
}

export interface RefusedRow {
  readonly number: number
  /** When it was refused first and last. */
  readonly firstAt: Instant
  readonly lastAt: Instant
  /** How many there were that are equal in everything below. */
  readonly times: number
  readonly outcome: 'rejected' | 'conflict'
  readonly account: string | null
  readonly source: string | null
  readonly id: string | null
  readonly code: string
  readonly detail: string
  readonly body: string
}

interface RawRefused extends Omit<RefusedRow, 'number' | 'firstAt' | 'lastAt' | 'times'> {
  readonly number: string
  readonly first_at: Date
  readonly last_at: Date
  readonly times: string
}

/** What was not accepted, in the order in which it was refused for the first time, newest first. */
export const listRefusedEventRows: Query<ListRefusedEventRows, RawRefused, RefusedRow> = {
  name: 'list_refused_event_rows',
  text: `
    select number, first_at, last_at, times, outcome, account, source, id, code, detail, body
      from refused_event
     where ($1::text is null or account = $1)
       and ($2::text is null or id = $2)
       and ($3::text is null or source = $3)
       and number < $4
     order by number desc
     limit $5`,
  values: ({ account, id, source, before, limit }) => [
    account ?? null,
    id ?? null,
    source ?? null,
    before ?? Number.MAX_SAFE_INTEGER,
    limit,
  ],
  decode: ({ number, first_at, last_at, times, ...row }) => ({
    number: Number(number),
    firstAt: first_at.getTime() as Instant,
    lastAt: last_at.getTime() as Instant,
    times: Number(times),
    ...row,
  }),
}

export interface RepeatedRefusal {
  /** In hexadecimal. */
  readonly digest: string
  readonly times: number
}

/**
 * Note that refusals which are kept came again: through the unique index of digests, and in its order, against
 * deadlocks. @returns the digests of those that are kept
 */
export const updateRepeatedRefusals: Query<readonly RepeatedRefusal[], { readonly digest: string }, string> =
  {
    name: 'update_repeated_refusals',
    text: `
    with kept as (
      select e.number, g.added
        from unnest($1::text[], $2::bigint[]) as g (digest, added)
        join refused_event e on e.digest = decode(g.digest, 'hex')
       order by e.digest
         for update of e
    )
    update refused_event e
       set times = e.times + kept.added, last_at = greatest(e.last_at, clock_timestamp())
      from kept
     where e.number = kept.number
    returning encode(e.digest, 'hex') as digest`,
    values: (refusals) => [refusals.map(({ digest }) => digest), refusals.map(({ times }) => times)],
    decode: ({ digest }) => digest,
  }
