import type { Query } from './query.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'

/** Have all hours counted that were announced and never counted: after a restore. */
export const insertAnnouncedHours: Query<void, never, void> = {
  name: 'insert_announced_hours',
  text: `
    insert into uncounted_hour (hour)
    select distinct m.hour
      from manifest m
     where not exists (select from source_count c where c.hour = m.hour and c.source = m.source)
        on conflict do nothing`,
  values: () => [],
  decode: () => undefined,
}

/** Have an hour counted again, if it was announced. Hours that are not counted yet are anyway. */
export const insertUncountedHour: Query<{ readonly hour: Hour }, never, void> = {
  name: 'insert_uncounted_hour',
  text: `
    insert into uncounted_hour (hour)
    select $1::int where exists (select from manifest where hour = $1)
        on conflict do nothing`,
  values: ({ hour }) => [hour],
  decode: () => undefined,
}

export interface InsertUncountedHours {
  /** A cycle that was counted: its late events change the counts of older hours. */
  readonly cycle: Hour
  /** Hours from here on are counted again in any case, older ones if they were announced. */
  readonly from: Hour
}

/** Have the hours counted again that got late usage in a cycle. */
export const insertUncountedHours: Query<InsertUncountedHours, never, void> = {
  name: 'insert_uncounted_hours',
  text: `
    insert into uncounted_hour (hour)
    select distinct l.hour
      from late_hour l
     where l.cycle = $1 and (l.hour >= $2 or exists (select from manifest m where m.hour = l.hour))
        on conflict do nothing`,
  values: ({ cycle, from }) => [cycle, from],
  decode: () => undefined,
}

/** Take one hour that is to be counted again, before the given one; undefined when there is none. Under the claim. */
export const deleteUncountedHour: Query<{ readonly before: Hour }, { hour: Hour }, Hour> = {
  name: 'delete_uncounted_hour',
  text: `
    delete from uncounted_hour
     where hour = (select min(hour) from uncounted_hour where hour < $1)
    returning hour`,
  values: ({ before }) => [before],
  decode: ({ hour }) => hour,
}

export interface SourceWatch {
  readonly firstHour: Hour
  readonly sealedUntil: Hour
  /** Null: no hour was counted yet. */
  readonly countedUntil: Hour | null
}

/** Claim the counting of sources until the transaction ends; undefined when another one counts. */
export const claimSourceWatch: Query<
  void,
  { first_hour: Hour; sealed_until: Hour; counted_until: Hour | null },
  SourceWatch
> = {
  name: 'claim_source_watch',
  text: `
    select d.first_hour, d.sealed_until, w.counted_until
      from source_watch w, deployment d
       for update of w skip locked`,
  values: () => [],
  decode: (raw) => ({
    firstHour: raw.first_hour,
    sealedUntil: raw.sealed_until,
    countedUntil: raw.counted_until,
  }),
}

/** Hours before `to` were counted. Under the claim. */
export const updateCountedUntil: Query<{ readonly to: Hour }, never, void> = {
  name: 'update_counted_until',
  text: `update source_watch set counted_until = $1`,
  values: ({ to }) => [to],
  decode: () => undefined,
}

/**
 * Count the events that were sent of an hour by source: note which sources have reported in it, and the counts of those that
 * have announced it. Reads the hour's partition of the day once, by its key. Run again it notes what is true then.
 */
export const countSourcesOf: Query<{ readonly hour: Hour }, never, void> = {
  name: 'count_sources',
  text: `
    with counted as materialized (
      select source, count(*) as events
        from usage_event
       where hour = $1::int and source not like '%farthing:closed'
       group by source),
    present as (
      insert into source_presence as p (source, last_hour, hours)
      select source, $1::int, 1::bit(192) from counted order by source
          on conflict (source) do update
         set hours = case
               when $1 > p.last_hour then (p.hours << least($1 - p.last_hour, 192)) | 1::bit(192)
               when p.last_hour - $1 < 192 then p.hours | (1::bit(192) << (p.last_hour - $1))
               else p.hours end,
             last_hour = greatest(p.last_hour, $1),
             silent_since = case when p.silent_since > $1 then p.silent_since end,
             acknowledged_by = case when p.silent_since > $1 then p.acknowledged_by end)
    insert into source_count (hour, source, events)
    select $1::int, m.source, coalesce(c.events, 0)
      from (select distinct source from manifest where hour = $1) m
      left join counted c on c.source = m.source
     order by m.source
        on conflict (hour, source) do update set events = excluded.events`,
  values: ({ hour }) => [hour],
  decode: () => undefined,
}

export interface ListHourSources {
  readonly hour: Hour
  /** Behind this one, in the order of their bytes; '' for all. */
  readonly after: string
  readonly limit: number
}

/** What of a source is stored of an hour, and what it has announced. */
export interface HourSource {
  readonly source: string
  readonly arrived: number
  /** Of those, the events that count in a later hour. */
  readonly late: number
  /** By its newest manifest; null: it has announced nothing. */
  readonly announced: { readonly events: number; readonly version: number; readonly at: Instant } | null
}

/** Sources that have events of an hour or have announced it, in the order of their bytes. Reads the hour, by the key. */
export const listHourSources: Query<
  ListHourSources,
  {
    source: string
    arrived: string
    late: string
    events: string | null
    version: number | null
    announced_at: Date | null
  },
  HourSource
> = {
  name: 'list_hour_sources',
  text: `
    with arrived as (
      select source, count(*) as events, count(*) filter (where cycle > hour) as late
        from usage_event where hour = $1 and source > $2
       group by source),
    announced as (
      select distinct on (source) source, events, version, announced_at
        from manifest where hour = $1 and source > $2
       order by source, version desc)
    select source, coalesce(a.events, 0) as arrived, coalesce(a.late, 0) as late,
           m.events, m.version, m.announced_at
      from arrived a full join announced m using (source)
     order by source
     limit $3`,
  values: ({ hour, after, limit }) => [hour, after, limit],
  decode: (raw) => ({
    source: raw.source,
    arrived: Number(raw.arrived),
    late: Number(raw.late),
    announced:
      raw.events === null
        ? null
        : {
            events: Number(raw.events),
            version: raw.version!,
            at: raw.announced_at!.getTime() as Instant,
          },
  }),
}
