import { type Draft, draftBill } from '../../core/bill/draft-bill.ts'
import type { Positions } from '../../core/rate/rating/priced-parts.ts'
import type { Tally } from '../../core/bill/tally.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { type AccountPrices, mayCount } from '../../core/rate/rating/account-prices.ts'
import type { Hour } from '../../core/time/hour.ts'
import { listBilledHours } from '../../store/bills.ts'
import { run, type Sql } from '../../store/query.ts'
import { type ChargeStorage, chargeStorage, isStoring } from './charge-storage.ts'
import type { AccountFacts } from './cycle-facts.ts'

/** What decides an account's bill besides its events. The same for settling an hour and for proving it. */
export interface DraftAccount {
  readonly hour: Hour
  readonly book: PriceBook
  readonly priceVersion: number
  readonly facts: AccountFacts
  readonly known: ChargeStorage['known']
  readonly restatedFrom: Hour | undefined
  readonly isLate: boolean
  /** See nothing that was settled at this step of the account or after it; null: see all. */
  readonly beforeStep: number | null
  readonly prices: AccountPrices
  /** Where the account's stretches are before this bill. @param oldest the oldest usage hour on it */
  readonly positionsAt: (oldest: Hour) => Promise<Positions>
}

const NO_POSITIONS: Positions = new Map()

/**
 * The lines and totals of one account in one cycle, from facts alone.
 * @returns undefined when there is nothing to bill
 */
export async function draftAccount(sql: Sql, account: DraftAccount): Promise<Draft | undefined> {
  const { hour, book, priceVersion, facts, beforeStep, prices } = account
  const { tally } = facts
  if (mayStore(account)) {
    await chargeStorage(sql, book, tally, { ...account, ...facts, announced: facts.levels })
  }
  const older = olderHours(hour, tally)
  const key = { bucket: facts.bucket, account: facts.account, beforeStep }
  const billed = older.size === 0 ? [] : await run(sql, listBilledHours, { ...key, hours: [...older] })
  const isBilled = (usageHour: Hour) => billed.includes(usageHour)
  const hasTiers = [...tally.values()].some(({ rate }) => mayCount(prices, rate))
  const oldest = Math.min(hour, ...older) as Hour
  const positions = hasTiers ? await account.positionsAt(oldest) : NO_POSITIONS
  return draftBill({ account: facts.account, hour, priceVersion, isBilled, prices, positions }, tally)
}

/** Most accounts store nothing, and need not be asked about. */
function mayStore({ facts, known, restatedFrom, isLate }: DraftAccount): boolean {
  if (isLate || restatedFrom !== undefined || isStoring(known)) return true
  return facts.levels.length > 0 || facts.withdrawn.length > 0
}

function olderHours(own: Hour, tally: Tally): ReadonlySet<Hour> {
  const older = new Set<Hour>()
  for (const { usageHour } of tally.values()) if (usageHour !== own) older.add(usageHour)
  return older
}
