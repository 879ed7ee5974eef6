import { bucketOf } from '../../core/ingest/bucket.ts'
import { isReservedSource } from '../../core/ingest/ended-level.ts'
import { type EventFilter, matchesFilter } from '../../core/ingest/event-filter.ts'
import { reread } from '../../core/ingest/reread.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { type Hour, hourOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { SettledEvent } from '../../store/event-row.ts'
import { listAccountHourEvents, listEventDays } from '../../store/usage-events.ts'
import type { EventKey } from '../../store/key-columns.ts'
import { run, type Sql } from '../../store/query.ts'
import { searchDuplicates } from '../read/explain-event.ts'
import { VOIDS_PER_TRANSACTION_MAX } from './void-events.ts'

/** Events of an account's range that one call looks at, meant or not: less than a second. */
export const SELECT_EVENTS_MAX = 20_000
const PAGE_EVENTS = 2_000

/** All events of an identity, under whatever time they came: the one that counts, and its duplicates. */
export interface SelectById {
  readonly account: string
  readonly id: string
  /** Undefined: of any source. */
  readonly source: string | undefined
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
}

export interface SelectByRange {
  readonly account: string
  readonly filter: EventFilter
}

/** Where a call has stopped looking: all before it is done. */
export type SelectPosition = readonly [hour: number, id: string, source: string]

export interface SelectedEvents {
  /** At most `VOIDS_PER_TRANSACTION_MAX`. */
  readonly keys: readonly EventKey[]
  /** Where to go on; null: that was all. */
  readonly next: SelectPosition | null
}

/** @returns more than `VOIDS_PER_TRANSACTION_MAX` if there are as many: then none should be voided */
export async function selectById(sql: Sql, select: SelectById): Promise<readonly EventKey[]> {
  const { account } = select
  const duplicates = await searchDuplicates(sql, select, VOIDS_PER_TRANSACTION_MAX + 1)
  return duplicates.map(({ hour, id, source }) => ({ hour, bucket: bucketOf(account), account, id, source }))
}

/**
 * The next events of a range that the filter means, in the order of hour, id and source.
 * @param book reads the events' data: the newest
 */
export async function selectByRange(
  sql: Sql,
  book: PriceBook,
  { account, filter }: SelectByRange,
  after: SelectPosition | undefined,
): Promise<SelectedEvents> {
  const bucket = bucketOf(account)
  const keys: EventKey[] = []
  let seen = 0
  for (const hour of await hoursOf(sql, filter, after)) {
    let last = after?.[0] === hour ? { id: after[1], source: after[2] } : undefined
    for (let isDone = false; !isDone;) {
      const page = { hour, bucket, account, after: last, limit: PAGE_EVENTS }
      const events = await run(sql, listAccountHourEvents, page)
      for (const event of events) {
        last = event
        if (isMeant(book, filter, event)) keys.push(keyOf(event))
        if (keys.length === VOIDS_PER_TRANSACTION_MAX) return { keys, next: positionOf(event) }
      }
      seen += events.length
      isDone = events.length < PAGE_EVENTS
      if (seen >= SELECT_EVENTS_MAX) return { keys, next: [hour, last?.id ?? '', last?.source ?? ''] }
    }
  }
  return { keys, next: null }
}

/** The hours of the range that are left, without those of days that have no events of anyone. */
async function hoursOf(
  sql: Sql,
  { from, to }: EventFilter,
  after: SelectPosition | undefined,
): Promise<readonly Hour[]> {
  const days = new Set(await run(sql, listEventDays, undefined))
  const first = Math.max(hourOf(from), after?.[0] ?? 0)
  const last = hourOf((to - 1) as Instant)
  const hours = Array.from({ length: Math.max(last - first + 1, 0) }, (_, index) => (first + index) as Hour)
  return hours.filter((hour) => days.has(Math.floor(hour / 24)))
}

/** By the newest price book, which reads the event's data. What Farthing itself added is never meant. */
export function isMeant(book: PriceBook, filter: EventFilter, event: SettledEvent): boolean {
  if (isReservedSource(event.source)) return false
  return matchesFilter(filter, { ...event, usage: reread(book.eventTypes, event.type, event.data) })
}

function keyOf({ hour, bucket, account, id, source }: SettledEvent): EventKey {
  return { hour, bucket, account, id, source }
}

function positionOf({ hour, id, source }: Pick<EventKey, 'hour' | 'id' | 'source'>): SelectPosition {
  return [hour, id, source]
}
