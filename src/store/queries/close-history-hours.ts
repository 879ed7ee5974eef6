import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface CloseHistoryHours {
  readonly hour: Hour
  readonly bucket: number
  readonly accounts: readonly string[]
}

/** History that is settled needs no row any more: its bill says so. */
export const closeHistoryHours: Query<CloseHistoryHours, never, void> = {
  name: 'close_history_hours',
  text: `delete from history_hour where hour = $1 and bucket = $2 and account = any ($3)`,
  values: ({ hour, bucket, accounts }) => [hour, bucket, accounts],
  decode: () => undefined,
}
