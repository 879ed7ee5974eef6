import type { Component } from '../../../ingest/usage.ts'
import type { Hour } from '../../../time/hour.ts'
import type { Path } from '../parse/problem.ts'

/**
 * What a new version would change for hours that have begun, which nothing may. Codes are public API: add, never
 * rename. Each is explained with an example in docs/price-book.md; a test compares both.
 */
export const PAST_CHANGE_CODES = [
  'price_book/changed_currency',
  'price_book/changed_event_type',
  'price_book/changed_mapping',
  'price_book/changed_unit',
  'price_book/changed_statuses',
  'price_book/changed_price',
] as const

export type PastChangeCode = (typeof PAST_CHANGE_CODES)[number]

/** One thing that a new version says otherwise than the published one of an hour that has begun. */
export interface PastChange {
  /** Where in the new version to write something else. The last keys may be missing there. */
  readonly path: Path
  readonly code: PastChangeCode
  /** Null where it concerns no component, item or rate. */
  readonly component: Component | null
  readonly item: string | null
  readonly rate: string | null
  /** The operations whose usage it concerns, in order; for an event type, its name alone. */
  readonly names: readonly string[]
  /** The first hour in which the two differ. */
  readonly hour: Hour
  readonly was: string
  readonly becomes: string
  /** What is wrong, one sentence. */
  readonly message: string
  /** What to write instead. */
  readonly fix: string
}
