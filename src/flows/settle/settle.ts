import { BUCKETS } from '../../core/ingest/bucket.ts'
import { MILLISECONDS_PER_HOUR } from '../../core/time/hour.ts'
import { insertBillMonth } from '../../store/bills.ts'
import { countEvents } from '../../store/usage-events.ts'
import { type DueCycle, listDueCycles } from '../../store/cycles.ts'
import { findDueBackfill, listBackfillBuckets } from '../../store/backfill-hours.ts'
import { run, runOne } from '../../store/query.ts'
import { listBucketsApart } from '../../store/set-aside.ts'
import { isOfData } from '../../store/trouble.ts'
import { noteSettled } from './note-settled.ts'
import { type IdentityWindow, keepingWindow, readingWindow } from './identity-window.ts'
import { HeldEventDamaged, releaseHeld } from './release-held.ts'
import { retrySetAside } from './retry-set-aside.ts'
import { sealDue, type SealDue } from './seal-hours.ts'
import { claimAndSetAside, type OnAside } from './set-aside.ts'
import { settleApart, type SettleApart } from './settle-apart.ts'
import { type BucketRange, settleBackfillHour, settleLiveHour } from './settle-hour.ts'

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
  /** Told of accounts and buckets that are set aside, and of their end. */
  readonly onAside?: OnAside | undefined
  /** Try again at once what is set aside, whatever its pause. */
  readonly retryNow?: boolean
}

/**
 * Seal and settle all that is due, oldest first, until nothing is left or others are at work on the rest. What is
 * due follows from the database alone, so a pass that never ran, ran twice, or was killed changes no bill. An account that
 * cannot be settled is set aside, and tried again after a pause: it stops nobody else.
 * @returns how many hours it settled, each counted once whatever its accounts
 */
export async function settlePass(pass: SettlePass): Promise<number> {
  const failure = await releaseAll(pass)
  await sealDue(pass)
  // A process may have been killed between settling the last bucket of an hour and noting it.
  await noteSettled(pass.pool)
  let hours = await retryAside(pass, pass.retryNow ?? false)
  hours += await settleAllBackfill(pass)
  for (;;) {
    const due = await run(pass.pool, listDueCycles, { limit: HOURS_TOGETHER_MAX })
    if (due.length === 0 || pass.stopping()) break
    const { settled, progress } = await settleBuckets(pass, due)
    if (!progress) break
    hours += settled.length
    for (const cycle of settled) pass.onSettled?.(cycle, false)
    hours += (await retryAside(pass, false)) + (await settleAllBackfill(pass))
  }
  if (failure) throw failure.error
  return hours
}

/** @returns what failed, and is of no account: it must not stop settlement */
async function releaseAll(pass: SettlePass): Promise<{ error: unknown } | undefined> {
  const { pool, onAside } = pass
  for (;;) {
    try {
      await releaseHeld(pool, () => pass.stopping())
      return undefined
    } catch (error) {
      if (!isOfData(error)) throw error
      const news = error instanceof HeldEventDamaged && (await claimAndSetAside(pool, error, error))
      if (!news) return { error }
      onAside?.(news)
    }
  }
}

async function retryAside(pass: SettlePass, isNow: boolean): Promise<number> {
  const { pool, onAside = () => undefined } = pass
  const retry = { pool, windowHours: windowHours(pass), isNow, stopping: () => pass.stopping(), onAside }
  const hours = await retrySetAside(retry)
  if (hours > 0) await noteSettled(pool)
  return hours
}

async function settleAllBackfill(pass: SettlePass): Promise<number> {
  for (let hours = 0; ;) {
    const due = await runOne(pass.pool, findDueBackfill, undefined)
    if (!due || pass.stopping()) return hours
    await run(pass.pool, insertBillMonth, { hour: due.hour })
    const { buckets, progress } = await settleBackfill(pass, due)
    if (!progress) return hours
    if (buckets === 0) continue
    hours += 1
    pass.onSettled?.(due, true)
  }
}

/** What was done about an hour. What is set aside is progress, too: the rest goes on without it. */
interface Done {
  readonly buckets: number
  readonly progress: boolean
}

const NOTHING: Done = { buckets: 0, progress: false }

function sum(one: Done, other: Done): Done {
  return { buckets: one.buckets + other.buckets, progress: one.progress || other.progress }
}

async function apart(pass: SettlePass, work: Pick<SettleApart, 'due' | 'bucket' | 'late'>): Promise<Done> {
  const { pool, onAside = () => undefined } = pass
  const done = await settleApart(pool, { ...work, window: keepingWindow(windowHours(pass)), onAside })
  return { buckets: done === 'settled' ? 1 : 0, progress: done !== 'nothing' }
}

/** All buckets together; those that have something set aside, and all if that fails, one by one. */
async function settleBackfill(pass: SettlePass, due: DueCycle): Promise<Done> {
  const { pool } = pass
  const together = await unlessOfData(() => settleBackfillHour(pool, due, readingWindow(windowHours(pass))))
  let done: Done = { buckets: together ?? 0, progress: Boolean(together) }
  const rest =
    together === undefined
      ? await run(pool, listBackfillBuckets, due)
      : await run(pool, listBucketsApart, undefined)
  for (const bucket of rest) {
    if (pass.stopping()) return done
    done = sum(done, await apart(pass, { due, bucket, late: true }))
  }
  return done
}

/** @returns undefined: it fails because of something that is stored */
async function unlessOfData<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!isOfData(error)) throw error
    return undefined
  }
}

function windowHours({ identityWindowMs }: SettlePass): number {
  return Math.floor(identityWindowMs / MILLISECONDS_PER_HOUR)
}

/**
 * Settle some hours, bucket by bucket: those of a bucket one after the other, so that what was settled around them is read
 * once. Transactions are as large as the largest of the hours allows.
 * @returns the hours of which anything was settled; no progress: other processes have claimed all that is left
 */
async function settleBuckets(
  pass: SettlePass,
  due: readonly DueCycle[],
): Promise<{ readonly settled: readonly DueCycle[]; readonly progress: boolean }> {
  const { pool } = pass
  let most = 0
  for (const { hour } of due) {
    await run(pool, insertBillMonth, { hour })
    most = Math.max(most, (await runOne(pool, countEvents, { hour, limit: COUNTED_EVENTS_MAX })) ?? 0)
  }
  const width = bucketsPerTransaction(most)
  const settled = new Set<DueCycle>()
  let progress = false
  const note = (cycle: DueCycle, done: Done) => {
    if (done.buckets > 0) settled.add(cycle)
    progress ||= done.progress
  }
  let next = 0
  const settleRanges = async () => {
    while (next < BUCKETS && !pass.stopping()) {
      const range = { from: next, to: next + width }
      next += width
      const window = due.length > 1 ? keepingWindow(windowHours(pass)) : readingWindow(windowHours(pass))
      for (const cycle of due) {
        if (pass.stopping()) return
        note(cycle, await settleRange(pass, cycle, range, window))
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: pass.lanes ?? LANES }, settleRanges))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  for (const cycle of due) note(cycle, await settleBucketsApart(pass, cycle))
  await noteSettled(pool)
  return { settled: due.filter((cycle) => settled.has(cycle)), progress }
}

/** If something in a range fails its halves are settled apart, down to the bucket. */
async function settleRange(
  pass: SettlePass,
  due: DueCycle,
  range: BucketRange,
  window: IdentityWindow,
): Promise<Done> {
  const { from, to } = range
  const together = await unlessOfData(() => settleLiveHour(pass.pool, due, range, window))
  if (together !== undefined) return { buckets: together, progress: together > 0 }
  if (to - from === 1) return apart(pass, { due, bucket: from, late: false })
  const half = (from + to) / 2
  const lower = await settleRange(pass, due, { from, to: half }, window)
  return sum(lower, await settleRange(pass, due, { from: half, to }, window))
}

async function settleBucketsApart(pass: SettlePass, due: DueCycle): Promise<Done> {
  let done = NOTHING
  for (const bucket of await run(pass.pool, listBucketsApart, undefined)) {
    if (pass.stopping()) return done
    done = sum(done, await apart(pass, { due, bucket, late: false }))
  }
  return done
}

/** A power of two, so that the ranges of all processes fall together. */
export function bucketsPerTransaction(events: number): number {
  const transactions = Math.max(1, Math.ceil(events / TRANSACTION_EVENTS))
  return Math.max(1, BUCKETS >> Math.ceil(Math.log2(transactions)))
}
