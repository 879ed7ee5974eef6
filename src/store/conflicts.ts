import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import { boundsOf, type EventKey, keyColumns } from './key-columns.ts'
import { decodeKeptEvent, type KeptEvent, type RawKeptEvent } from './cycle-events.ts'

export interface ConflictEvent extends EventKey {
  readonly cycle: Hour
  /** The hour of the duplicate that counts. */
  readonly standsHour: Hour
}

/** Mark events as duplicates that are never billed. */
export const insertConflictEvents: Query<readonly ConflictEvent[], never, void> = {
  name: 'insert_conflict_events',
  text: `
    insert into conflict_event (cycle, bucket, account, hour, id, source, stands_hour)
    select * from unnest($1::int[], $2::smallint[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[])`,
  values: (events) => [
    events.map(({ cycle }) => cycle),
    events.map(({ bucket }) => bucket),
    events.map(({ account }) => account),
    events.map(({ hour }) => hour),
    events.map(({ id }) => id),
    events.map(({ source }) => source),
    events.map(({ standsHour }) => standsHour),
  ],
  decode: () => undefined,
}

/** The hour of the event that counts, if an event is marked as a duplicate of it. */
export const findConflictEvent: Query<Omit<ConflictEvent, 'standsHour'>, { stands_hour: Hour }, Hour> = {
  name: 'find_conflict_event',
  text: `
    select stands_hour from conflict_event
     where cycle = $1 and bucket = $2 and account = $3 and hour = $4 and id = $5 and source = $6`,
  values: ({ cycle, bucket, account, hour, id, source }) => [cycle, bucket, account, hour, id, source],
  decode: ({ stands_hour }) => stands_hour,
}

interface Raw extends Omit<ConflictEvent, 'standsHour'> {
  readonly stands_hour: Hour
}

/** The events of a cycle that are marked as duplicates. */
export const listConflictEvents: Query<
  { readonly cycle: Hour; readonly buckets: readonly number[] },
  Raw,
  ConflictEvent
> = {
  name: 'list_conflict_events',
  text: `
    select cycle, bucket, account, hour, id, source, stands_hour
      from conflict_event
     where cycle = $1 and bucket = any ($2)`,
  values: ({ cycle, buckets }) => [cycle, buckets],
  decode: ({ stands_hour, ...raw }) => ({ ...raw, standsHour: stands_hour }),
}

/**
 * Which of these events were settled and are not marked as duplicates: they stand. By index. One statement for keys of at
 * most a calendar month, whose partitions it opens.
 */
export const findStandingEvents: Query<readonly EventKey[], { index: string }, number> = {
  name: 'find_standing_events',
  text: `
    select k.index
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[])
           with ordinality as k (hour, bucket, account, id, source, index)
     cross join lateral (
           select e.cycle from usage_event e
            where e.hour = k.hour and e.hour between $6 and $7 and e.bucket = k.bucket and e.account = k.account
              and e.id = k.id and e.source = k.source) e
     where not exists (select from conflict_event c
                        where c.cycle = e.cycle and c.bucket = k.bucket and c.account = k.account
                          and c.hour = k.hour and c.id = k.id and c.source = k.source)
       and (exists (select from bill b
                     where b.hour = e.cycle and b.bucket = k.bucket and b.account = k.account)
         or exists (select from settled_hour s
                     where s.hour = e.cycle and s.bucket = k.bucket and s.account = k.account))`,
  values: (keys) => [...keyColumns(keys), ...boundsOf(keys)],
  decode: ({ index }) => Number(index) - 1,
}

export interface FindDuplicates {
  readonly bucket: number
  readonly account: string
  readonly id: string
  /** Undefined: of any source. */
  readonly source: string | undefined
  /** UTC days since 1970-01-01: at least one, ascending. They bound the partitions that are opened. */
  readonly days: readonly number[]
  readonly limit: number
}

/** A stored event and where it counts. */
export interface FoundDuplicate extends KeptEvent {
  readonly hour: Hour
  readonly cycle: Hour
}

/**
 * Every event of an id on some days: one probe of the primary key for each hour. There is no index by id alone,
 * because it would cost half of ingest. The limit inside makes each hour a probe of its own. Latest first.
 */
export const findDuplicates: Query<
  FindDuplicates,
  RawKeptEvent & { hour: Hour; cycle: Hour },
  FoundDuplicate
> = {
  name: 'find_duplicates',
  text: `
    select e.*
      from unnest($5::int[]) as d (day)
     cross join generate_series(d.day * 24, d.day * 24 + 23) as h (hour)
     cross join lateral (
       select hour, cycle, at, received_at, id, source, type, data, attributes
         from usage_event
        where hour = h.hour and hour >= $6 and hour < $7
          and bucket = $1 and account = $2 and id = $3 and ($4::text is null or source = $4)
        limit $8) e
     order by e.hour desc, e.at desc, e.source
     limit $8`,
  values: ({ bucket, account, id, source, days, limit }) => {
    const [from, to] = [days[0]! * 24, (days.at(-1)! + 1) * 24]
    return [bucket, account, id, source ?? null, days, from, to, limit]
  },
  decode: ({ hour, cycle, ...raw }) => ({ hour, cycle, ...decodeKeptEvent(raw) }),
}
