import { BUCKETS } from '../../core/ingest/bucket.ts'
import { MILLISECONDS_PER_HOUR } from '../../core/time/hour.ts'
import { insertBillMonth } from '../../store/bills.ts'
import { countEvents } from '../../store/usage-events.ts'
import { type DueCycle, listDueCycles } from '../../store/cycles.ts'
import { findDueBackfill } from '../../store/backfill-hours.ts'
import { updateSettledUntil } from '../../store/deployment.ts'
import { run, runOne } from '../../store/query.ts'
import { keepingWindow, readingWindow } from './identity-window.ts'
import { releaseHeld } from './release-held.ts'
import { sealDue, type SealDue } from './seal-hours.ts'
import { settleBackfillHour, settleLiveHour } from './settle-hour.ts'

/** Events of one transaction, about: large enough that its fixed cost vanishes, small enough to lose when killed. */
const TRANSACTION_EVENTS = 8_000
/** Transactions at once: while one waits for the database, the other adds up. */
const LANES = 2
/** Due hours that share the reading of what was settled before them. */
const HOURS_TOGETHER_MAX = 24
/** More events than this need no finer division. */
export const COUNTED_EVENTS_MAX = BUCKETS * TRANSACTION_EVENTS

export interface SettlePass extends SealDue {
  /** Copies of one identity under times this far apart are found, in whole hours. */
  readonly identityWindowMs: number
  /** Transactions at once in this process. */
  readonly lanes?: number
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
  await releaseHeld(pass.pool, () => pass.stopping())
  await sealDue(pass)
  // A process may have been killed between settling the last bucket of an hour and noting it.
  await run(pass.pool, updateSettledUntil, undefined)
  let hours = await settleAllBackfill(pass)
  for (;;) {
    const due = await run(pass.pool, listDueCycles, { limit: HOURS_TOGETHER_MAX })
    if (due.length === 0 || pass.stopping()) return hours
    const settled = await settleBuckets(pass, due)
    if (settled.length === 0) return hours
    hours += settled.length
    for (const cycle of settled) pass.onSettled?.(cycle, false)
    hours += await settleAllBackfill(pass)
  }
}

async function settleAllBackfill(pass: SettlePass): Promise<number> {
  for (let hours = 0; ; hours++) {
    const due = await runOne(pass.pool, findDueBackfill, undefined)
    if (!due || pass.stopping()) return hours
    await run(pass.pool, insertBillMonth, { hour: due.hour })
    if ((await settleBackfillHour(pass.pool, due, readingWindow(windowHours(pass)))) === 0) return hours
    pass.onSettled?.(due, true)
  }
}

function windowHours({ identityWindowMs }: SettlePass): number {
  return Math.floor(identityWindowMs / MILLISECONDS_PER_HOUR)
}

/**
 * Settle some hours, bucket by bucket: those of a bucket one after the other, so that what was settled around them is read
 * once. Transactions are as large as the largest of the hours allows.
 * @returns the hours of which anything was settled; none when other processes have claimed all that is left
 */
async function settleBuckets(pass: SettlePass, due: readonly DueCycle[]): Promise<readonly DueCycle[]> {
  const { pool } = pass
  let most = 0
  for (const { hour } of due) {
    await run(pool, insertBillMonth, { hour })
    most = Math.max(most, (await runOne(pool, countEvents, { hour, limit: COUNTED_EVENTS_MAX })) ?? 0)
  }
  const width = bucketsPerTransaction(most)
  const settled = new Set<DueCycle>()
  let next = 0
  const settleRanges = async () => {
    while (next < BUCKETS && !pass.stopping()) {
      const range = { from: next, to: next + width }
      next += width
      const window = due.length > 1 ? keepingWindow(windowHours(pass)) : readingWindow(windowHours(pass))
      for (const cycle of due) {
        if (pass.stopping()) return
        if ((await settleLiveHour(pool, cycle, range, window)) > 0) settled.add(cycle)
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: pass.lanes ?? LANES }, settleRanges))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  await run(pool, updateSettledUntil, undefined)
  return due.filter((cycle) => settled.has(cycle))
}

/** A power of two, so that the ranges of all processes fall together. */
export function bucketsPerTransaction(events: number): number {
  const transactions = Math.max(1, Math.ceil(events / TRANSACTION_EVENTS))
  return Math.max(1, BUCKETS >> Math.ceil(Math.log2(transactions)))
}
