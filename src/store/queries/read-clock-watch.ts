import type { ClockDoubt } from '../../core/time/clock.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ClockWatchRow {
  readonly doubt: ClockDoubt | undefined
  /** How often a doubt has ended. */
  readonly agreements: number
}

/** What processes agree on about the database clock. */
export const readClockWatch: Query<
  void,
  { doubted_at: string | null; believed_at: string | null; agreements: number },
  ClockWatchRow
> = {
  name: 'read_clock_watch',
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
