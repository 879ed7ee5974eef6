import { type Hour, hourOf, startOf } from './hour.ts'
import type { Instant } from './instant.ts'
import { monthOf, type ZoneHistory } from './zone-history.ts'
import type { Month, OffsetAt } from './zone-month.ts'

/** Hours around the first instant of a month in UTC in which the month begins in every zone. */
const SEARCHED_HOURS = 48

/** The months of one account, as the hours with which they begin. */
export interface AccountMonths {
  /** The first hour of the month that an hour is in. */
  readonly startOf: (hour: Hour) => Hour
  /** The first hour of a month. */
  readonly firstOf: (month: Month) => Hour
  /** Months that were asked for and are not stored yet. */
  readonly found: ReadonlyMap<Month, Hour>
}

/**
 * An hour is in the month of its first instant. What is stored holds, so that another version of the zone rules never
 * moves the month of usage that was billed.
 * @param stored first hours, by month
 */
export function accountMonths(
  history: ZoneHistory,
  stored: ReadonlyMap<Month, Hour>,
  offsetAt: OffsetAt,
): AccountMonths {
  const found = new Map<Month, Hour>()
  const firstOf = (month: Month) =>
    stored.get(month) ?? found.get(month) ?? firstHour(history, month, offsetAt)
  return {
    found,
    firstOf,
    startOf(hour) {
      let month = monthOf(history, startOf(hour), offsetAt)
      while (firstOf(month) > hour) month = (month - 1) as Month
      while ((stored.get((month + 1) as Month) ?? Infinity) <= hour) month = (month + 1) as Month
      const first = firstOf(month)
      if (!stored.has(month)) found.set(month, first)
      return first
    },
  }
}

/** The first hour of a month in an account's time zones. */
export function firstHour(history: ZoneHistory, month: Month, offsetAt: OffsetAt): Hour {
  const middle = hourOf(Date.UTC(Math.floor(month / 12), month % 12) as Instant)
  let [low, high] = [middle - SEARCHED_HOURS, middle + SEARCHED_HOURS]
  while (low < high) {
    const hour = Math.floor((low + high) / 2) as Hour
    if (monthOf(history, startOf(hour), offsetAt) >= month) high = hour
    else low = hour + 1
  }
  return low as Hour
}
