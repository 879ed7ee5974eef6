import type { ClockDoubt } from '../../core/time/clock.ts'
import type { Query } from '../query.ts'

/** Nothing is sealed from now on. A doubt that there is already stays as it is. */
export const doubtClock: Query<ClockDoubt, never, void> = {
  name: 'doubt_clock',
  text: `update clock_watch set doubted_at = $1, believed_at = $2 where doubted_at is null`,
  values: ({ at, believedAt }) => [at, believedAt],
  decode: () => undefined,
}
