import { type Draft, draftBill } from '../../core/bill/draft-bill.ts'
import type { Level } from '../../core/meter/level.ts'
import type { PriceBook } from '../../core/rate/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { readBilledHours } from '../../store/queries/read-billed-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { chargeStorage } from './charge-storage.ts'
import type { AccountFacts } from './cycle-facts.ts'

/** What decides an account's bill besides its events. The same for settling an hour and for proving it. */
export interface DraftAccount {
  readonly hour: Hour
  readonly book: PriceBook
  readonly priceVersion: number
  readonly facts: AccountFacts
  readonly known: readonly Level[]
  readonly restatedFrom: Hour | undefined
  readonly isLate: boolean
  /** See nothing that was settled at this step of the account or after it; null: see all. */
  readonly beforeStep: number | null
}

/**
 * The lines and totals of one account in one cycle, from facts alone.
 * @returns undefined when there is nothing to bill
 */
export async function draftAccount(sql: Sql, account: DraftAccount): Promise<Draft | undefined> {
  const { hour, book, priceVersion, facts, beforeStep } = account
  const { tally } = facts
  await chargeStorage(sql, book, tally, { ...account, ...facts, announced: facts.levels })
  const older = new Set(
    [...tally.values()].map(({ usageHour }) => usageHour).filter((usage) => usage !== hour),
  )
  const key = { bucket: facts.bucket, account: facts.account, beforeStep }
  const billed = older.size === 0 ? [] : await run(sql, readBilledHours, { ...key, hours: [...older] })
  const isBilled = (usageHour: Hour) => billed.includes(usageHour)
  return draftBill({ account: facts.account, hour, priceVersion, isBilled }, tally)
}
