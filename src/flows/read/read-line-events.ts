import type { BillLine } from '../../core/bill/bill.ts'
import type { UsageEvent } from '../../core/ingest/event.ts'
import { reread } from '../../core/ingest/reread.ts'
import { negated } from '../../core/money/decimal.ts'
import { assess, type Charge } from '../../core/rate/rating/assess.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { hourOf } from '../../core/time/hour.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import { type Sql, run } from '../../store/query.ts'
import { type CountedEvent, type KeptEvent, listCycleEvents } from '../../store/cycle-events.ts'
import { type Page } from '../shared/page.ts'
import { bookOf } from '../prices/read-price-version.ts'

/** Events that one page looks at: a line may have few of the many events of its hour. */
export const SCANNED_MAX = 20_000
const SCAN_STEP = 2_000

/** An event's key within its account and hour. */
export type EventPosition = readonly [id: string, source: string]

/** An event and what it adds to the line: opposite quantities where the line gives it back. */
export interface LineEvent extends CountedEvent {
  readonly charge: Charge
}

/**
 * The usage events behind a line that is not storage, in key order: those of its usage hour that the bill's cycle counts
 * or gives back, and that are charged under its key. A page may be short, even empty, and yet have a next one.
 */
export async function listLineEvents(
  sql: Sql,
  bill: StoredBill,
  line: BillLine,
  { after, limit }: { readonly after: EventPosition | undefined; readonly limit: number },
): Promise<Page<LineEvent, EventPosition>> {
  const { book } = await bookOf(sql, line.priceVersion)
  const items: LineEvent[] = []
  let position = after
  for (let scanned = 0; scanned < SCANNED_MAX; scanned += SCAN_STEP) {
    const events = await run(sql, listCycleEvents, {
      bucket: bill.bucket,
      account: bill.account,
      hour: line.usageHour,
      cycle: bill.hour,
      after: position && { id: position[0], source: position[1] },
      limit: SCAN_STEP,
    })
    for (const event of events) {
      position = [event.id, event.source]
      const charge = chargeUnder(book, bill.account, line, event)
      if (charge) items.push({ ...event, charge: event.isTakenBack ? reversalOf(charge) : charge })
      if (items.length === limit) return { items, next: position }
    }
    if (events.length < SCAN_STEP) return { items, next: null }
  }
  return { items, next: position ?? null }
}

/** What an event adds to a line; undefined when that is nothing. */
export function chargeUnder(
  book: PriceBook,
  account: string,
  line: BillLine,
  kept: KeptEvent,
): Charge | undefined {
  const assessment = assess(book, usageEvent(book, account, kept))
  if (assessment.outcome !== 'accepted') return undefined
  return assessment.charges.find((charge) => isUnder(charge, line))
}

function reversalOf(charge: Charge): Charge {
  return { ...charge, quantity: negated(charge.quantity), waived: negated(charge.waived) }
}

/** A stored event as the core reads it. */
export function usageEvent(book: PriceBook, account: string, kept: KeptEvent): UsageEvent {
  const { at, id, source, type, data, attributes } = kept
  const usage = reread(book.eventTypes, type, data)
  return { account, source, id, type, at, hour: hourOf(at), data, attributes, usage }
}

export function isUnder({ rate, operation, project, region }: Charge, line: BillLine): boolean {
  return (
    rate.component === line.component &&
    rate.item === line.item &&
    rate.rate === line.rate &&
    operation === line.operation &&
    project === line.project &&
    region === line.region
  )
}
