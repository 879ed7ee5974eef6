import type { BillLine } from '../../core/bill/bill.ts'
import type { UsageEvent } from '../../core/ingest/event.ts'
import { reread } from '../../core/ingest/reread.ts'
import { invariant } from '../../core/invariant.ts'
import type { Level } from '../../core/meter/level.ts'
import { negated } from '../../core/money/decimal.ts'
import { spansOf, type StoredSpan } from '../../core/present/stored-spans.ts'
import { assess, type Charge } from '../../core/rate/rating/assess.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { hourOf, next } from '../../core/time/hour.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import { type Sql, run } from '../../store/query.ts'
import { type CountedEvent, type KeptEvent, listCycleEvents } from '../../store/cycle-events.ts'
import { listHourLevels } from '../../store/storage-levels.ts'
import { listWithdrawnLevels, type WithdrawnLevel } from '../../store/restated-levels.ts'
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

/** Levels of one project in one hour: more are not shown for one line. */
export const LEVELS_SHOWN_MAX = 10_000

/** A level behind a line of storage; with the opposite quantity where the line takes it back. */
export interface LineLevel extends StoredSpan {
  readonly isTakenBack: boolean
}

/**
 * The levels behind a line of storage: how many bytes were stored from when to when, within the line's hour; and those
 * that the bill takes back, as they had been until then.
 */
export async function listLineLevels(
  sql: Sql,
  bill: StoredBill,
  line: BillLine,
): Promise<readonly LineLevel[]> {
  invariant(line.component === 'storage', 'levels are behind lines of storage alone')
  const { step } = bill
  const levels = await levelsAsOf(sql, bill, line, step)
  const withdrawn = line.usageHour === bill.hour ? [] : await withdrawnBy(sql, bill, line)
  const before = withdrawn.length === 0 ? [] : await levelsAsOf(sql, bill, line, step - 1)
  const taken = spansOf(before, line.usageHour).filter(({ level }) =>
    withdrawn.some((one) => isSame(one, level)),
  )
  const all = [
    ...spansOf(levels, line.usageHour).map((span) => ({ ...span, isTakenBack: false })),
    ...taken.map((span) => ({ ...span, quantity: negated(span.quantity), isTakenBack: true })),
  ]
  return all.filter(({ level }) => level.region === line.region)
}

function levelsAsOf(
  sql: Sql,
  { bucket, account }: StoredBill,
  { project, usageHour }: BillLine,
  step: number,
): Promise<readonly Level[]> {
  const hours = { from: usageHour, to: next(usageHour) }
  const scope = { bucket, account, project: project ?? '', ...hours, step, limit: LEVELS_SHOWN_MAX }
  return run(sql, listHourLevels, scope)
}

function withdrawnBy(sql: Sql, { bucket, account, step }: StoredBill, { project }: BillLine) {
  return run(sql, listWithdrawnLevels, {
    bucket,
    account,
    project: project ?? '',
    step,
    limit: LEVELS_SHOWN_MAX,
  })
}

function isSame(taken: WithdrawnLevel, { dataset, at, source, id }: Level): boolean {
  return dataset === taken.dataset && at === taken.at && source === taken.source && id === taken.id
}
