import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant, type Instant, millisecondsOf } from '../../core/time/instant.ts'

const SECONDS = /^(\d{1,11})(?:\.(\d+))?$/

/**
 * Seconds since 1970 (a JSON number, or a decimal text) as an RFC 3339 time, floored to the millisecond. By their digits:
 * no fraction passes through binary arithmetic.
 * @returns undefined for anything else
 */
export function timeOfSeconds(value: Json): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const [, seconds, fraction = ''] = SECONDS.exec(String(value)) ?? []
  const milliseconds = millisecondsOf(fraction)
  if (seconds === undefined || milliseconds === undefined) return undefined
  return formatInstant((Number(seconds) * 1000 + milliseconds) as Instant)
}
