import { BUCKETS } from '../../core/ingest/bucket.ts'
import { MILLISECONDS_PER_HOUR } from '../../core/time/hour.ts'
import { addBillMonth } from '../../store/queries/add-bill-month.ts'
import { countEvents } from '../../store/queries/count-events.ts'
import { type DueCycle, nextDueCycle } from '../../store/queries/next-due-cycle.ts'
import { nextDueHistory } from '../../store/queries/next-due-history.ts'
import { raiseSettledUntil } from '../../store/queries/raise-settled-until.ts'
import { run, runOne } from '../../store/query.ts'
import { releaseHeld } from './release-held.ts'
import { sealDue, type SealDue } from './seal-hours.ts'
import { settleHistoryHour, settleLiveHour } from './settle-hour.ts'

/** Events of one transaction, about: large enough that its fixed cost vanishes, small enough to lose when killed. */
const TRANSACTION_EVENTS = 8_000
/** Transactions at once: while one waits for the database, the other adds up. */
const LANES = 2
/** More events than this need no finer division. */
export const COUNTED_EVENTS_MAX = BUCKETS * TRANSACTION_EVENTS

export interface SettlePass extends SealDue {
  /** Copies of one identity under times this far apart are found, in whole hours. */
  readonly identityWindowMs: number
  /** Asked between transactions: true ends the pass. */
  stopping(): boolean
  /** Told after each settled hour. */
  onSettled?(due: DueCycle, late: boolean): void
}

/**
 * Seal and settle all that is due, oldest first, until nothing is left or others are at work on the rest. What is
 * due follows from the database alone, so a pass that never ran, ran twice, or was killed changes no bill.
 * @returns how many hours it settled, each counted once whatever its accounts
 */
export async function settlePass(pass: SettlePass): Promise<number> {
  await releaseHeld(pass.pool, pass.stopping)
  await sealDue(pass)
  // A process may have been killed between settling the last bucket of an hour and noting it.
  await run(pass.pool, raiseSettledUntil, undefined)
  let hours = await settleAllHistory(pass)
  for (;;) {
    const due = await runOne(pass.pool, nextDueCycle, undefined)
    if (!due || pass.stopping()) return hours
    if (!(await settleBuckets(pass, due))) return hours
    hours += 1
    pass.onSettled?.(due, false)
    hours += await settleAllHistory(pass)
  }
}

async function settleAllHistory(pass: SettlePass): Promise<number> {
  for (let hours = 0; ; hours++) {
    const due = await runOne(pass.pool, nextDueHistory, undefined)
    if (!due || pass.stopping()) return hours
    await run(pass.pool, addBillMonth, { hour: due.hour })
    if ((await settleHistoryHour(pass.pool, due, windowHours(pass))) === 0) return hours
    pass.onSettled?.(due, true)
  }
}

function windowHours({ identityWindowMs }: SettlePass): number {
  return Math.floor(identityWindowMs / MILLISECONDS_PER_HOUR)
}

/** @returns false when other processes have claimed all that is left of the hour */
async function settleBuckets(pass: SettlePass, due: DueCycle): Promise<boolean> {
  await run(pass.pool, addBillMonth, { hour: due.hour })
  const events = await run(pass.pool, countEvents, { hour: due.hour, limit: COUNTED_EVENTS_MAX })
  const width = bucketsPerTransaction(events[0] ?? 0)
  let settled = 0
  let next = 0
  const settleRanges = async () => {
    while (next < BUCKETS && !pass.stopping()) {
      const from = next
      next += width
      settled += await settleLiveHour(pass.pool, due, { from, to: from + width }, windowHours(pass))
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: LANES }, settleRanges))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return settled > 0
}

/** A power of two, so that the ranges of all processes fall together. */
export function bucketsPerTransaction(events: number): number {
  const transactions = Math.max(1, Math.ceil(events / TRANSACTION_EVENTS))
  return Math.max(1, BUCKETS >> Math.ceil(Math.log2(transactions)))
}
