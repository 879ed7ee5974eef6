import { type LocalDay, MILLISECONDS_PER_DAY } from '../time/local-day.ts'

/** `2025-07-28`. */
export function dayText(day: LocalDay): string {
  return new Date(day * MILLISECONDS_PER_DAY).toISOString().slice(0, 10)
}
