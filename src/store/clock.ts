import type { Query } from './query.ts'
import type { ClockDoubt } from '../core/time/clock.ts'
import type { Instant } from '../core/time/instant.ts'

/** The doubt about the clock ends, and every process takes the clock as it is. Nothing if there is none. @returns a row if there was one */
export const updateAcceptedClock: Query<void, { agreements: number }, number> = {
  name: 'update_accepted_clock',
  text: `
    update clock_watch set doubted_at = null, believed_at = null, agreements = agreements + 1
     where doubted_at is not null
    returning agreements`,
  values: () => [],
  decode: ({ agreements }) => agreements,
}

/**
 * As `updateAcceptedClock`, if no other process shows a heartbeat on this database (life.ts): there is nobody who knows
 * better. @param own the name of this process's life session
 */
export const updateAcceptedClockAlone: Query<{ readonly own: string }, { agreements: number }, number> = {
  name: 'update_accepted_clock_alone',
  text: `
    update clock_watch set doubted_at = null, believed_at = null, agreements = agreements + 1
     where doubted_at is not null
       and not exists (select from pg_stat_activity
                        where datname = current_database()
                          and application_name like 'farthing-life %' and application_name <> $1)
    returning agreements`,
  values: ({ own }) => [own],
  decode: ({ agreements }) => agreements,
}

/** Nothing is sealed from now on. A doubt that there is already stays as it is. */
export const updateClockAlarm: Query<ClockDoubt, never, void> = {
  name: 'update_clock_alarm',
  text: `update clock_watch set doubted_at = $1, believed_at = $2 where doubted_at is null`,
  values: ({ at, believedAt }) => [at, believedAt],
  decode: () => undefined,
}

export interface ClockWatchRow {
  readonly doubt: ClockDoubt | undefined
  /** How often a doubt has ended. */
  readonly agreements: number
}

/** What processes agree on about the database clock. */
export const findClockWatch: Query<
  void,
  { doubted_at: string | null; believed_at: string | null; agreements: number },
  ClockWatchRow
> = {
  name: 'find_clock_watch',
  text: `select doubted_at, believed_at, agreements from clock_watch`,
  values: () => [],
  decode: ({ doubted_at, believed_at, agreements }) => ({
    doubt:
      doubted_at === null
        ? undefined
        : { at: Number(doubted_at) as Instant, believedAt: Number(believed_at) as Instant },
    agreements,
  }),
}
