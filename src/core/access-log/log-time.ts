import { type Instant, millisecondsOf, parseInstant } from '../time/instant.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const LOCAL = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/
const EPOCH = /^(\d{9,11})(?:\.(\d+))?$/

/**
 * The time of a line: RFC 3339 (nginx's `$time_iso8601`, ALB, Envoy), `28/Jul/2025:03:00:00 +0000`
 * (`$time_local`, Apache), or seconds since 1970 (`$msec`). Exact, floored to the millisecond.
 */
export function readLogTime(text: string): Instant | undefined {
  const epoch = EPOCH.exec(text)
  if (epoch) {
    const milliseconds = millisecondsOf(epoch[2] ?? '')
    return milliseconds === undefined ? undefined : ((Number(epoch[1]) * 1000 + milliseconds) as Instant)
  }
  const local = LOCAL.exec(text)
  const at = parseInstant(local ? rfc3339(local) : text)
  return typeof at === 'string' ? undefined : at
}

function rfc3339([, day, month, year, time, hours, minutes]: RegExpExecArray): string {
  const number = String(MONTHS.indexOf(month!) + 1).padStart(2, '0')
  return `${year}-${number}-${day}T${time}${hours}:${minutes}`
}

/** Milliseconds that a request took, rounded down; undefined when it is no such number. */
export function readDurationMs(text: string): number | undefined {
  const match = /^(\d{1,12})(?:\.\d+)?$/.exec(text)
  return match ? Number(match[1]) : undefined
}
