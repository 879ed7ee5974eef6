import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Hours that are looked at: senders' clocks may be ahead by minutes, and never by days. */
const HOURS_SEARCHED = 48

/**
 * The latest hour with a stored event, among 48 from `from` on: usage that senders dated ahead of the database's clock.
 * By the primary key, whose first column is the hour.
 */
export const findLatestUsageHour: Query<{ readonly from: Hour }, { hour: Hour }, Hour> = {
  name: 'find_latest_usage_hour',
  text: `select hour from usage_event where hour >= $1 and hour < $2 order by hour desc limit 1`,
  values: ({ from }) => [from, from + HOURS_SEARCHED],
  decode: ({ hour }) => hour,
}
