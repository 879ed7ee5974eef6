import type { Instant } from './instant.ts'
import { type Month, monthEverywhere, monthIn, type OffsetAt, UTC } from './zone-month.ts'

/** From this month on an account's months are those of the zone, until the next change. */
export interface ZoneChange {
  readonly fromMonth: Month
  /** An IANA name. */
  readonly zone: string
}

/** An account's time zones, `fromMonth` strictly ascending; UTC before the first of them. */
export type ZoneHistory = readonly ZoneChange[]

/**
 * The month of an account that contains an instant. A month begins when it begins in the zone that is in force for it, and
 * lasts until the next one does: so months meet without gaps also where the zone changes, and each instant is in one.
 */
export function monthOf(history: ZoneHistory, at: Instant, offsetAt: OffsetAt): Month {
  const certain = monthEverywhere(at)
  if (certain !== undefined) return certain
  let month = (monthIn(UTC, at, offsetAt) + 1) as Month
  // No zone is more than a month from UTC, so this ends after at most two steps.
  while (!hasBegun(history, month, at, offsetAt)) month = (month - 1) as Month
  return month
}

/**
 * An account gets a new time zone: it counts from the next month that has begun in neither zone, the new one and the one
 * in force for that month so far. So no instant until `now` changes its month, and no bill its statement.
 */
export function withZone(history: ZoneHistory, zone: string, now: Instant, offsetAt: OffsetAt): ZoneHistory {
  let from = monthOf(history, now, offsetAt)
  while (hasBegun(history, from, now, offsetAt) || monthIn(zone, now, offsetAt) >= from) {
    from = (from + 1) as Month
  }
  const kept = history.filter(({ fromMonth }) => fromMonth < from)
  return zoneOf(kept, from) === zone ? kept : [...kept, { fromMonth: from, zone }]
}

/** The zone in force for a month. */
export function zoneOf(history: ZoneHistory, month: Month): string {
  return history.findLast(({ fromMonth }) => fromMonth <= month)?.zone ?? UTC
}

function hasBegun(history: ZoneHistory, month: Month, at: Instant, offsetAt: OffsetAt): boolean {
  return monthIn(zoneOf(history, month), at, offsetAt) >= month
}
