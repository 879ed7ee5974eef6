import { compareBytes } from '../../core/text/well-formed.ts'
import { type Hour, hourOf, startOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { UsageKey, UsageWindow } from '../../store/usage.ts'

const PARTS = ['account', 'component', 'item', 'operation', 'project', 'region', 'unit'] as const

/** The order of the statement: by window, then by UTF-8 bytes. */
export function compareKeys(a: UsageKey, b: UsageKey): number {
  const part = PARTS.find((name) => a[name] !== b[name])
  return a.window - b.window || (part ? compareBytes(a[part], b[part]) : 0)
}

/** The window that an hour is in: its first hour. A day or month takes an hour by its first instant, in UTC. */
export function windowOf(hour: Hour, window: UsageWindow): Hour {
  if (window === 'hour') return hour
  const start = new Date(startOf(hour))
  const [year, month, day] = [start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()]
  return hourOf(Date.UTC(year, month, window === 'day' ? day : 1) as Instant)
}

/** The first hour after a window. */
export function windowEnd(start: Hour, window: UsageWindow): Hour {
  if (window === 'hour') return (start + 1) as Hour
  if (window === 'day') return (start + 24) as Hour
  const first = new Date(startOf(start))
  return hourOf(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 1) as Instant)
}
