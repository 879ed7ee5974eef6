import { integrate, isSameSeries, type Level, levelName, seriesName } from '../meter/level.ts'
import { negated } from '../money/decimal.ts'
import { type Hour, hourOf, next } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'
import { type DraftContext, draftBill } from './draft-bill.ts'
import { addStored, type Tally } from './tally.ts'

/** Steps of work, one for each level in each hour that is computed again: a third of a second. */
export const CHANGE_STEPS_MAX = 1_000_000
/** An hour costs as many steps besides. */
const STEPS_AN_HOUR = 100

/** What an account pays, and where its bills have left it. */
export type PaidBy = Pick<DraftContext, 'prices' | 'positions'>

export interface StorageChange {
  /** Of one account, in the order of `compareLevels`: those that count, with those voided. */
  readonly levels: readonly Level[]
  readonly takenBack: readonly Level[]
  /** Hours before this one are looked at. */
  readonly to: Hour
}

/**
 * By how much the storage of some hours comes to less, or more, when levels are voided: the levels before them go on
 * in their place. Exactly, by what settlement computes it with; rounded once a line, as every line is.
 * @returns below 0: less is charged; null: that is more work than an answer is worth
 */
export function storageChange(paid: PaidBy, change: StorageChange): string | null {
  const { book } = paid.prices
  const names = new Set(change.takenBack.map(levelName))
  const isTaken = (level: Level) => names.has(levelName(level))
  const taken = change.levels.filter(isTaken)
  const first = taken.reduce((at, level) => Math.min(at, level.at), Infinity) as Instant
  if (taken.length === 0) return '0'
  const series = new Set(taken.map(seriesName))
  const all = change.levels.filter((level) => series.has(seriesName(level)))
  const kept = all.filter((level) => !isTaken(level))
  const [from, to] = [hourOf(first), Math.min(change.to, endOfChange(all, isTaken))]
  if ((to - from) * (all.length + STEPS_AN_HOUR) > CHANGE_STEPS_MAX) return null
  const tally: Tally = new Map()
  for (let hour = from; hour < to; hour = next(hour)) {
    for (const stored of integrate(kept, hour)) addStored(tally, book, hour, stored)
    for (const stored of integrate(all, hour)) {
      addStored(tally, book, hour, { ...stored, quantity: negated(stored.quantity) })
    }
  }
  // Whose bill it is on, and of which hour, orders the lines; their sum is the same.
  const context = { account: '', hour: from, priceVersion: 0, isBilled: () => false, ...paid }
  return draftBill(context, tally)?.total ?? '0'
}

/** The first hour that none of it reaches: every series has a level by then. Infinity: one of them has none. */
function endOfChange(all: readonly Level[], isTaken: (level: Level) => boolean): number {
  return all.reduce((end, level, index) => {
    if (!isTaken(level)) return end
    const following = all[index + 1]
    if (following === undefined || !isSameSeries(level, following)) return Infinity
    return Math.max(end, next(hourOf(following.at)))
  }, 0)
}
