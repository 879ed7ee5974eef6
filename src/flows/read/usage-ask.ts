import type { LocalDay } from '../../core/time/local-day.ts'
import type { Window } from '../../core/time/calendar.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Month } from '../../core/time/zone-month.ts'
import type { UsageBasis, UsageFilter, UsageGroup } from '../../store/usage.ts'

/** An end of a range: an hour, or the first hour of a date or month in the time zone of the question. */
export type RangeEnd =
  | { readonly kind: 'hour'; readonly hour: Hour }
  | { readonly kind: 'day'; readonly day: LocalDay }
  | { readonly kind: 'month'; readonly month: Month }

export interface AskedRange {
  readonly from: RangeEnd
  readonly to: RangeEnd
}

/** Only accounts with one of these values of a tag; '' is also that of an account without the tag. */
export interface TagFilter {
  readonly name: string
  readonly values: readonly string[]
}

/** Which usage, and how it is told apart. */
export interface AskUsage {
  /** Undefined: that of all accounts. */
  readonly account: string | undefined
  readonly range: AskedRange
  readonly window: Window
  /** An IANA name; `account`: the months and days of each account. */
  readonly timeZone: string
  readonly basis: UsageBasis
  readonly groupBy: readonly UsageGroup[]
  /** Names of tags of accounts that usage is told apart by. */
  readonly tags: readonly string[]
  readonly filter: UsageFilter
  readonly tagFilters: readonly TagFilter[]
  /** Beside which other period; undefined: none. The window is `none` then. */
  readonly compare: AskedRange | 'previous' | undefined
}

export interface UsageRefused {
  readonly ok: false
  readonly code:
    | 'usage/too_many_open_events'
    | 'usage/too_many_open_accounts'
    | 'usage/too_many_rows'
    | 'usage/too_many_calendars'
    | 'usage/too_many_tagged_accounts'
  readonly detail: string
}

/** Are these the statement months of bills? */
export function isOfStatements({ basis, window, range, timeZone }: AskUsage): boolean {
  if (basis !== 'bill' || timeZone !== 'account') return false
  return window === 'month' || (window === 'none' && range.from.kind === 'month' && range.to.kind === 'month')
}
