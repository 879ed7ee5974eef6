import { emptyAccountHour, takeBack } from '../bill/account-hour.ts'
import type { PaidBy } from '../bill/storage-change.ts'
import { draftBill } from '../bill/draft-bill.ts'
import type { UsageEvent } from '../ingest/event.ts'
import { decimal, plain, plus } from '../money/decimal.ts'
import { assess } from '../rate/rating/assess.ts'
import type { Hour } from '../time/hour.ts'

/** An event that is voided, and where that counts. */
export interface TakenBack {
  readonly event: UsageEvent
  /** Found to be a copy of another event, which counts in its place. */
  readonly isDuplicate: boolean
  /** The cycle of the void. */
  readonly cycle: Hour
  /** The cycle in which the event counts: that of the void, which leaves it out, or an older one; null: nowhere. */
  readonly counted: Hour | null
}

/** What taking some events back comes to. The counts below `voided` are of some of these. */
export interface VoidSummary {
  readonly voided: number
  /** They had no price, and were on no bill. */
  readonly held: number
  /** They were on no bill, because an event of the same identity is. */
  readonly duplicates: number
  /** Levels of stored data: what they change is in `storage`, not in the sums below it. */
  readonly levels: number
  /**
   * What they change in the hours that are settled: below 0 when less is charged; above it when the level before, which
   * goes on in the place of one voided, is higher. Null: it is known with the next bill.
   */
  readonly storage: string | null
  /** What bills have charged, or a sealed hour is about to, and the open hour gives back: 0 or below. */
  readonly givenBack: string
  /** What no bill has charged, and none will: 0 or below. */
  readonly notBilled: string
}

/** What an order has voided. */
export interface VoidsTaken extends Pick<VoidSummary, 'storage'> {
  readonly account: string
  readonly taken: readonly TakenBack[]
}

/**
 * Count what is voided, and add up its money: exactly, at the prices of the usage hours. What has tiers is
 * reversed at the position at which the bills have left it.
 * @param paid under the newest book: of hours that have begun every version says the same
 */
export function summarizeVoids(paid: PaidBy, { account, taken, storage }: VoidsTaken): VoidSummary {
  const { book } = paid.prices
  const isHeld = ({ event, isDuplicate, cycle, counted }: TakenBack) =>
    !isDuplicate && (counted === null || (counted === cycle && assess(book, event).outcome !== 'accepted'))
  const isBilled = ({ cycle, counted }: TakenBack) => counted !== null && counted < cycle
  const isLeftOut = ({ cycle, counted }: TakenBack) => counted === cycle
  return {
    voided: taken.length,
    held: taken.filter(isHeld).length,
    duplicates: taken.filter(({ isDuplicate }) => isDuplicate).length,
    levels: taken.filter(({ event, counted }) => counted !== null && event.usage?.component === 'storage')
      .length,
    storage,
    givenBack: moneyOf(paid, account, taken.filter(isBilled)),
    notBilled: moneyOf(paid, account, taken.filter(isLeftOut)),
  }
}

function moneyOf(paid: PaidBy, account: string, taken: readonly TakenBack[]): string {
  const sums = emptyAccountHour()
  for (const { event } of taken) takeBack(sums, paid.prices.book, event)
  // Which hour is billed orders the lines; their sum is the same.
  const context = { account, hour: 0 as Hour, priceVersion: 0, isBilled: () => false, ...paid }
  return draftBill(context, sums.tally)?.total ?? '0'
}

/** Two parts of one order, as one. */
export function addSummaries(a: VoidSummary, b: VoidSummary): VoidSummary {
  return {
    voided: a.voided + b.voided,
    held: a.held + b.held,
    duplicates: a.duplicates + b.duplicates,
    levels: a.levels + b.levels,
    storage: a.storage === null || b.storage === null ? null : sum(a.storage, b.storage),
    givenBack: sum(a.givenBack, b.givenBack),
    notBilled: sum(a.notBilled, b.notBilled),
  }
}

function sum(a: string, b: string): string {
  return plain(plus(decimal(a), decimal(b)))
}
