import type { Query } from './query.ts'
import type { ClockAlarm } from '../core/time/clock.ts'
import type { Instant } from '../core/time/instant.ts'

/** The clock alarm ends, and every process takes the clock as it is. Nothing if there is none. @returns a row if there was one */
export const updateAcceptedClock: Query<void, { agreements: number }, number> = {
  name: 'update_accepted_clock',
  text: `
    update clock_watch set alarmed_at = null, accepted_at = null, agreements = agreements + 1
     where alarmed_at is not null
    returning agreements`,
  values: () => [],
  decode: ({ agreements }) => agreements,
}

/**
 * As `updateAcceptedClock`, if no other process shows a heartbeat on this database (heartbeat.ts): there is nobody who knows
 * better. @param own the name of this process's heartbeat session
 */
export const updateAcceptedClockAlone: Query<{ readonly own: string }, { agreements: number }, number> = {
  name: 'update_accepted_clock_alone',
  text: `
    update clock_watch set alarmed_at = null, accepted_at = null, agreements = agreements + 1
     where alarmed_at is not null
       and not exists (select from pg_stat_activity
                        where datname = current_database()
                          and application_name like 'farthing-heartbeat %' and application_name <> $1)
    returning agreements`,
  values: ({ own }) => [own],
  decode: ({ agreements }) => agreements,
}

/** Nothing is sealed from now on. An open alarm stays as it is. */
export const updateClockAlarm: Query<ClockAlarm, never, void> = {
  name: 'update_clock_alarm',
  text: `update clock_watch set alarmed_at = $1, accepted_at = $2 where alarmed_at is null`,
  values: ({ at, acceptedAt }) => [at, acceptedAt],
  decode: () => undefined,
}

export interface ClockWatchRow {
  readonly alarm: ClockAlarm | undefined
  /** How often an alarm has ended. */
  readonly agreements: number
}

/** What processes agree on about the database clock. */
export const findClockWatch: Query<
  void,
  { alarmed_at: string | null; accepted_at: string | null; agreements: number },
  ClockWatchRow
> = {
  name: 'find_clock_watch',
  text: `select alarmed_at, accepted_at, agreements from clock_watch`,
  values: () => [],
  decode: ({ alarmed_at, accepted_at, agreements }) => ({
    alarm:
      alarmed_at === null
        ? undefined
        : { at: Number(alarmed_at) as Instant, acceptedAt: Number(accepted_at) as Instant },
    agreements,
  }),
}
