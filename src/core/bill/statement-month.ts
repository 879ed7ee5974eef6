import { type Hour, startOf } from '../time/hour.ts'
import { monthOf, type ZoneHistory } from '../time/zone-history.ts'
import { formatMonth, type OffsetAt } from '../time/zone-month.ts'

/**
 * The month whose statement a bill is in, as `2025-07`: that of its cycle's first instant, in the account's time zone. Fixed
 * when the bill is issued, so that every bill is in exactly one statement; the history of zones gives it again at any time.
 * It knows nothing of statements that are final: once there are such, the one that issues a bill takes the earliest month that
 * is not, from this one on.
 * @param zones of the account; none: UTC
 */
export function statementMonth(hour: Hour, zones: ZoneHistory = [], offsetAt: OffsetAt = () => 0): string {
  return formatMonth(monthOf(zones, startOf(hour), offsetAt))
}
