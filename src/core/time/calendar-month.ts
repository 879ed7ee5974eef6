import { type Hour, startOf } from './hour.ts'

/** The calendar month of UTC that contains an hour, counted from January 1970. */
export function monthOf(hour: Hour): number {
  const start = new Date(startOf(hour))
  return (start.getUTCFullYear() - 1970) * 12 + start.getUTCMonth()
}
