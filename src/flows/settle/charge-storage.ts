import { addCharged, addStored, type Tally } from '../../core/bill/tally.ts'
import { groupBy } from '../../core/group-by.ts'
import { compareLevels, integrate, isSameLevel, type Level } from '../../core/meter/level.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { endOf, type Hour, hourOf, startOf } from '../../core/time/hour.ts'
import { listChargedStorage } from '../../store/bill-lines.ts'
import { listLevels } from '../../store/storage-levels.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'

export interface ChargeStorage extends SettledAccount {
  /** The cycle that is settled. */
  readonly hour: Hour
  /** Its events' levels, which may lie in older hours. */
  readonly announced: readonly Level[]
  /** Levels of settled events that the cycle voids. */
  readonly withdrawn: readonly Level[]
  /** Levels of settled events: in force at the start of the cycle, and any within it. */
  readonly known: readonly Level[]
  /** Look again at hours from here on, because their levels or prices became known; undefined: not so. */
  readonly restatedFrom: Hour | undefined
  /** May another bill have charged this hour's storage already? Only where the hour is not live. */
  readonly isLate: boolean
  /** See nothing that was settled at this step of the account or after it; null: see all. */
  readonly beforeStep: number | null
}

/**
 * Add to a tally what an account stored in the cycle (R9, R10), and what levels that became known change in older
 * hours: what should be charged there, minus what its bills say so far.
 */
export async function chargeStorage(
  sql: Sql,
  book: PriceBook,
  tally: Tally,
  charge: ChargeStorage,
): Promise<void> {
  const { hour, announced, withdrawn, isLate } = charge
  const changed = [...announced, ...withdrawn].map(({ at }) => hourOf(at))
  const from = oldest([hour, charge.restatedFrom ?? hour, ...changed])
  const known = from < hour ? await levelsFrom(sql, charge, from) : charge.known
  const kept = known.filter((level) => !withdrawn.some((taken) => isSameLevel(level, taken)))
  const all = [...kept, ...announced].sort(compareLevels)
  if (all.length === 0 && withdrawn.length === 0 && charge.restatedFrom === undefined) return
  // Where a price was filled, `from` may be long before anything was stored.
  const first = Math.max(from, oldest([hour, ...all.map(({ at }) => hourOf(at))])) as Hour
  for (let at = first; at <= hour; at = (at + 1) as Hour) {
    for (const stored of integrate(all, at)) addStored(tally, book, at, stored)
  }
  if (from < hour || isLate) await releasingLocks(sql, () => subtractCharged(sql, book, tally, charge, from))
}

async function levelsFrom(sql: Sql, charge: ChargeStorage, from: Hour): Promise<readonly Level[]> {
  const { bucket, account, beforeStep, hour } = charge
  const asOf = [{ account, step: beforeStep ?? Number.MAX_SAFE_INTEGER }]
  return run(sql, listLevels, { buckets: [bucket], from: startOf(from), to: endOf(hour), accounts: asOf })
}

async function subtractCharged(
  sql: Sql,
  book: PriceBook,
  tally: Tally,
  { bucket, account, hour, beforeStep }: ChargeStorage,
  from: Hour,
): Promise<void> {
  const range = { bucket, account, from, to: (hour + 1) as Hour, beforeStep }
  for (const charged of await run(sql, listChargedStorage, range)) addCharged(tally, book, charged)
}

function oldest(hours: readonly Hour[]): Hour {
  return hours.reduce((a, b) => (b < a ? b : a))
}

/** The levels of many accounts around one hour, by account: one question for a whole chunk. */
export async function knownLevels(
  sql: Sql,
  hour: Hour,
  buckets: readonly number[],
  accounts: readonly { readonly account: string; readonly step: number }[] | null,
): Promise<ReadonlyMap<string, readonly Level[]>> {
  const range = { from: startOf(hour), to: endOf(hour) }
  return groupBy(await run(sql, listLevels, { buckets, ...range, accounts }), ({ account }) => account)
}
