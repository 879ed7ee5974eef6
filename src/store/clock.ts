import type { Query } from './query.ts'
import type { ClockAlarm } from '../core/time/clock.ts'
import type { ClockDelay } from '../core/time/clock-gap.ts'
import type { Instant } from '../core/time/instant.ts'

const NOW = 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint'
const NO_ALARM = 'alarmed_at = null, accepted_at = null, raised_by = null, difference = null'
const NO_DELAY = 'delayed_since = null, delayed_from = null, delayed_until = null, newest_usage_at = null'

interface Agreed {
  readonly agreements: number
}

function agreed({ agreements }: Agreed): number {
  return agreements
}

/** The clock alarm ends by itself, and every process takes the clock as it is. Nothing if there is none. */
export const updateAcceptedClock: Query<void, Agreed, number> = {
  name: 'update_accepted_clock',
  text: `
    update clock_watch set ${NO_ALARM}, ${NO_DELAY}, seen_at = ${NOW}, agreements = agreements + 1
     where alarmed_at is not null
    returning agreements`,
  values: () => [],
  decode: agreed,
}

/**
 * A person says that the clock is right: an alarm and a delay end, and the difference to the clock of the process that
 * raised the alarm is accepted. Nothing if there is neither. @returns a row if there was one
 */
export const updateClockIsRight: Query<void, Agreed, number> = {
  name: 'update_clock_is_right',
  text: `
    update clock_watch
       set accepted_difference = coalesce(difference, accepted_difference),
           ${NO_ALARM}, ${NO_DELAY}, seen_at = ${NOW}, agreements = agreements + 1
     where alarmed_at is not null or delayed_from is not null
    returning agreements`,
  values: () => [],
  decode: agreed,
}

/**
 * An alarm ends because the clock has been set back since, if no other process shows a heartbeat on this database
 * (heartbeat.ts): there is nobody who knows better. The gap is judged from when the clock was right.
 * @param own the name of this process's heartbeat session
 */
export const updateClockSetBackAlone: Query<{ readonly own: string }, Agreed, number> = {
  name: 'update_clock_set_back_alone',
  text: `
    update clock_watch set seen_at = accepted_at, ${NO_ALARM}, ${NO_DELAY}, agreements = agreements + 1
     where alarmed_at > ${NOW}
       and not exists (select from pg_stat_activity
                        where datname = current_database()
                          and application_name like 'farthing-heartbeat %' and application_name <> $1)
    returning agreements`,
  values: ({ own }) => [own],
  decode: agreed,
}

export interface RaisedAlarm extends ClockAlarm {
  /** The name of the process's heartbeat session. */
  readonly by: string
  /** By how much the database clock is ahead of that process's. */
  readonly differenceMs: number
}

/** Nothing is sealed from now on. An open alarm stays as it is. */
export const updateClockAlarm: Query<RaisedAlarm, never, void> = {
  name: 'update_clock_alarm',
  text: `
    update clock_watch
       set alarmed_at = $1, accepted_at = $2, alarm_kind = $3, raised_by = $4, difference = $5
     where alarmed_at is null`,
  values: ({ at, acceptedAt, kind, by, differenceMs }) => [at, acceptedAt, kind, by, differenceMs],
  decode: () => undefined,
}

/** Live hours wait from now on, unless they do already. */
export const updateClockDelay: Query<ClockDelay, never, void> = {
  name: 'update_clock_delay',
  text: `
    update clock_watch
       set delayed_since = $1, delayed_from = $2, delayed_until = $3, newest_usage_at = null
     where alarmed_at is null
       and (delayed_from is null or $2 < delayed_from or $2 >= delayed_until)`,
  values: ({ since, from, until }) => [since, from, until],
  decode: () => undefined,
}

/** The clock was seen, and is as expected. */
export const updateClockSeen: Query<{ readonly at: Instant }, never, void> = {
  name: 'update_clock_seen',
  text: `update clock_watch set seen_at = $1, ${NO_DELAY} where alarmed_at is null`,
  values: ({ at }) => [at],
  decode: () => undefined,
}

/** Live usage of this time has arrived. Noted only while it says something about the clock: after a gap. */
export const updateNewestUsage: Query<{ readonly at: Instant }, never, void> = {
  name: 'update_newest_usage',
  text: `
    update clock_watch set newest_usage_at = $1
     where delayed_from is not null and coalesce(newest_usage_at, 0) < $1`,
  values: ({ at }) => [at],
  decode: () => undefined,
}

export interface ClockWatchRow {
  readonly alarm: (ClockAlarm & { readonly by: string | null; readonly isOrphaned: boolean }) | undefined
  /** How often an alarm or a delay was ended. */
  readonly agreements: number
  readonly acceptedDifferenceMs: number | undefined
  readonly delay: ClockDelay | undefined
  readonly newestUsageAt: Instant | undefined
  /** What the clock showed when it was last seen; and whether a process has noted that, or the newest facts say it. */
  readonly seenAt: Instant
  readonly isNoted: boolean
}

interface RawClockWatch {
  readonly alarmed_at: string | null
  readonly accepted_at: string | null
  readonly alarm_kind: ClockAlarm['kind']
  readonly raised_by: string | null
  readonly is_orphaned: boolean
  readonly agreements: number
  readonly accepted_difference: string | null
  readonly delayed_since: string | null
  readonly delayed_from: string | null
  readonly delayed_until: string | null
  readonly newest_usage_at: string | null
  readonly last_seen_at: string
  readonly is_noted: boolean
}

/**
 * What processes agree on about the database clock. In a database that was restored, or comes from an older version, nobody
 * has noted what it showed: then the newest seal says it. Not the events: a look at them would lock each of their tables.
 */
export const findClockWatch: Query<void, RawClockWatch, ClockWatchRow> = {
  name: 'find_clock_watch',
  text: `
    select alarmed_at, accepted_at, alarm_kind, raised_by, agreements, accepted_difference,
           delayed_since, delayed_from, delayed_until, newest_usage_at,
           case when alarmed_at is null then false
                else not exists (select from pg_stat_activity
                                  where datname = current_database() and application_name = raised_by)
            end as is_orphaned,
           seen_at is not null as is_noted,
           coalesce(seen_at, (
             select floor(extract(epoch from greatest(
                      d.created_at, (select sealed_at from cycle order by hour desc limit 1))) * 1000)::bigint
               from deployment d)) as last_seen_at
      from clock_watch`,
  values: () => [],
  decode: (raw) => ({
    alarm:
      raw.alarmed_at === null
        ? undefined
        : {
            at: instant(raw.alarmed_at),
            acceptedAt: instant(raw.accepted_at!),
            kind: raw.alarm_kind,
            by: raw.raised_by,
            isOrphaned: raw.is_orphaned,
          },
    agreements: raw.agreements,
    acceptedDifferenceMs: raw.accepted_difference === null ? undefined : Number(raw.accepted_difference),
    delay:
      raw.delayed_from === null
        ? undefined
        : {
            since: instant(raw.delayed_since!),
            from: instant(raw.delayed_from),
            until: instant(raw.delayed_until!),
          },
    newestUsageAt: raw.newest_usage_at === null ? undefined : instant(raw.newest_usage_at),
    seenAt: instant(raw.last_seen_at),
    isNoted: raw.is_noted,
  }),
}

function instant(text: string): Instant {
  return Number(text) as Instant
}
