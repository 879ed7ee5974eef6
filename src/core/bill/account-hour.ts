import type { UsageEvent } from '../ingest/event.ts'
import type { Level } from '../meter/level.ts'
import { assess } from '../rate/assess.ts'
import type { PriceBook } from '../rate/price-book.ts'
import { addCharge, type Tally } from './tally.ts'

/** What the events of one account and cycle come to. */
export interface AccountHour {
  readonly tally: Tally
  /** Levels that the events announce, in the order of the events. */
  readonly levels: Level[]
  /** Events that count nowhere yet. */
  held: number
}

export function emptyAccountHour(): AccountHour {
  return { tally: new Map(), levels: [], held: 0 }
}

/**
 * Add one event that stands: not a duplicate, not a conflict, not voided. Any order gives the same sums.
 * An event that the book does not cover adds nothing, and stays held.
 */
export function addEvent(sums: AccountHour, book: PriceBook, event: UsageEvent): void {
  const assessment = assess(book, event)
  if (assessment.outcome !== 'accepted') {
    sums.held += 1
    return
  }
  for (const charge of assessment.charges) addCharge(sums.tally, event.hour, charge)
  if (event.usage?.component === 'storage') sums.levels.push(levelOf(event, event.usage))
}

function levelOf(event: UsageEvent, usage: Omit<Level, 'at' | 'source' | 'id'>): Level {
  const { project, dataset, region, bytes } = usage
  return { project, dataset, region, bytes, at: event.at, source: event.source, id: event.id }
}
