import type { UsageEvent } from '../ingest/event.ts'
import { type Level, levelName } from '../meter/level.ts'
import { assess } from '../rate/rating/assess.ts'
import type { PriceBook } from '../rate/price-book/price-book.ts'
import { addCharge, addReversal, type Tally } from './tally.ts'

/** What the facts of one account and cycle come to. */
export interface AccountHour {
  readonly tally: Tally
  /** Levels that its events announce, by name, in the order of the events. */
  readonly levels: Map<string, Level>
  /** Levels of older cycles that it voids. */
  readonly withdrawn: Level[]
}

/** What of an event decides what it comes to. */
export type CountedEvent = Pick<UsageEvent, 'usage' | 'type' | 'hour' | 'at' | 'source' | 'id'>

export function emptyAccountHour(): AccountHour {
  return { tally: new Map(), levels: new Map(), withdrawn: [] }
}

/**
 * Add one event that stands: not a duplicate, not a conflict. Any order gives the same sums.
 * @returns false when the book does not cover the event: it adds nothing, and stays held
 */
export function addEvent(sums: AccountHour, book: PriceBook, event: CountedEvent): boolean {
  const assessment = assess(book, event)
  if (assessment.outcome !== 'accepted') return false
  for (const charge of assessment.charges) addCharge(sums.tally, event.hour, charge)
  if (event.usage?.component !== 'storage') return true
  const level = levelOf(event, event.usage)
  sums.levels.set(levelName(level), level)
  return true
}

/**
 * Reverse one event that counts, in this cycle or in an older one: the opposite quantities at the same prices. What
 * the book does not cover was held, so there is nothing to void.
 */
export function takeBack(sums: AccountHour, book: PriceBook, event: CountedEvent): void {
  const assessment = assess(book, event)
  if (assessment.outcome !== 'accepted') return
  for (const charge of assessment.charges) addReversal(sums.tally, event.hour, charge)
  if (event.usage?.component !== 'storage') return
  const level = levelOf(event, event.usage)
  if (!sums.levels.delete(levelName(level))) sums.withdrawn.push(level)
}

function levelOf(event: CountedEvent, usage: Omit<Level, 'at' | 'source' | 'id'>): Level {
  const { project, dataset, region, bytes } = usage
  return { project, dataset, region, bytes, at: event.at, source: event.source, id: event.id }
}
