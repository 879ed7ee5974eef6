import type pg from 'pg'
import type { Hour } from '../../core/time/hour.ts'
import { deleteBackfillHours } from '../../store/backfill-hours.ts'
import { insertBillMonth } from '../../store/bills.ts'
import { type DueCycle, findCycleVersion } from '../../store/cycles.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import {
  claimBucket,
  deleteSetAside,
  findBackfillOf,
  findProgressOf,
  listDueRetries,
  type SetAside,
  updateSetAsideSettled,
} from '../../store/set-aside.ts'
import { transaction } from '../../store/transaction.ts'
import { isOfData } from '../../store/trouble.ts'
import { readingWindow } from './identity-window.ts'
import { releaseHeld } from './release-held.ts'
import { noteFailed, type OnAside, RETRY_PAUSE_MS_MAX } from './set-aside.ts'
import { causeOf, settleOrThrow } from './settle-apart.ts'
import { settleChunk } from './settle-hour.ts'

export interface RetrySetAside {
  readonly pool: pg.Pool
  /** Of the identity window. */
  readonly windowHours: number
  /** Everything, whatever its pause: a person asks for it. */
  readonly isNow: boolean
  readonly stopping: () => boolean
  readonly onAside: OnAside
}

/**
 * Try again what was set aside and whose pause is over. An account catches up hour by hour, each with the price version
 * that its hour was sealed with and its backfill first, as its bucket has done before; then it is one of its bucket again.
 * Killed at any line it goes on from the hour that was committed last.
 * @returns how many hours of accounts and buckets were settled
 */
export async function retrySetAside(retry: RetrySetAside): Promise<number> {
  const { pool, isNow, stopping, onAside } = retry
  const due = await run(pool, listDueRetries, { pauseMsMax: isNow ? null : RETRY_PAUSE_MS_MAX })
  let hours = 0
  for (const aside of due) {
    if (stopping()) return hours
    try {
      const step = aside.account === '' ? retryBucket : retryAccount
      hours += await step(retry, aside)
    } catch (error) {
      if (!isOfData(error)) throw error
      const news = await noteFailed(pool, aside, causeOf(error))
      if (news) onAside(news)
    }
  }
  return hours
}

/** One hour that succeeds is enough: then the bucket is one like the others, and goes on from there. */
async function retryBucket(retry: RetrySetAside, aside: SetAside): Promise<number> {
  const { pool, windowHours, onAside } = retry
  const { bucket } = aside
  const window = readingWindow(windowHours)
  const work = await workOf(pool, bucket)
  if (work) {
    await run(pool, insertBillMonth, { hour: work.due.hour })
    if (!(await settleOrThrow(pool, { ...work, bucket, window, onAside }))) return 0
  }
  await run(pool, deleteSetAside, aside)
  onAside({ kind: 'caught up', aside })
  return work ? 1 : 0
}

async function workOf(
  sql: Sql,
  bucket: number,
): Promise<{ readonly due: DueCycle; readonly late: boolean } | undefined> {
  const backfill = await runOne(sql, findBackfillOf, { bucket, account: null })
  if (backfill) return { due: backfill, late: true }
  const progress = await runOne(sql, findProgressOf, { bucket, account: '' })
  const due = progress && (await cycleOf(sql, progress.bucketUntil))
  return due && { due, late: false }
}

async function cycleOf(sql: Sql, hour: Hour): Promise<DueCycle | undefined> {
  const priceVersion = await runOne(sql, findCycleVersion, { hour })
  return priceVersion === undefined ? undefined : { hour, priceVersion }
}

async function retryAccount(retry: RetrySetAside, aside: SetAside): Promise<number> {
  const { pool, stopping, onAside } = retry
  await releaseHeld(pool, stopping, aside.account)
  for (let hours = 0; ;) {
    if (stopping()) return hours
    const work = await workOfAccount(pool, aside)
    if (work) await run(pool, insertBillMonth, { hour: work.due.hour })
    const done = await settleStep(retry, aside, work)
    if (done === 'elsewhere') return hours
    if (done === 'settled') hours += 1
    if (done === 'caught up') {
      onAside({ kind: 'caught up', aside })
      return hours
    }
  }
}

interface Work {
  readonly due: DueCycle
  readonly late: boolean
}

/** Its oldest sealed backfill, else its next live hour that its bucket has settled; undefined: it has caught up. */
async function workOfAccount(sql: Sql, aside: SetAside): Promise<Work | undefined> {
  const backfill = await runOne(sql, findBackfillOf, aside)
  if (backfill) return { due: backfill, late: true }
  const progress = await runOne(sql, findProgressOf, aside)
  if (progress === undefined || progress.hour >= progress.bucketUntil) return undefined
  const due = await cycleOf(sql, progress.hour)
  return due && { due, late: false }
}

/** One hour, in one transaction; or the end, if nothing is left while its bucket is claimed. */
async function settleStep(
  { pool, windowHours }: RetrySetAside,
  aside: SetAside,
  foreseen: Work | undefined,
): Promise<'settled' | 'caught up' | 'elsewhere' | 'look again'> {
  const { bucket, account } = aside
  return transaction(pool, async (client) => {
    if ((await runOne(client, claimBucket, aside)) === undefined) return 'elsewhere'
    if ((await runOne(client, findProgressOf, aside)) === undefined) return 'elsewhere'
    const work = await workOfAccount(client, aside)
    if (work === undefined) {
      await run(client, deleteSetAside, aside)
      return 'caught up'
    }
    const { due, late } = work
    // Its table of bills is made before, outside of this transaction.
    if (due.hour !== foreseen?.due.hour) return 'look again'
    const accounts = [{ bucket, account }]
    await settleChunk(client, { due, buckets: [bucket], accounts, late, window: readingWindow(windowHours) })
    if (late) await run(client, deleteBackfillHours, { hour: due.hour, bucket, accounts: [account] })
    else await run(client, updateSetAsideSettled, { bucket, account, to: (due.hour + 1) as Hour })
    return 'settled'
  })
}
