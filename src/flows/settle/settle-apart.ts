import type pg from 'pg'
import type { Hour } from '../../core/time/hour.ts'
import { deleteBackfillHours, listBackfillAccounts } from '../../store/backfill-hours.ts'
import { updateBucketSettled } from '../../store/buckets.ts'
import type { DueCycle } from '../../store/cycles.ts'
import { run, runOne } from '../../store/query.ts'
import { claimBucket, findBackfillOf, listCycleAccounts } from '../../store/set-aside.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { attempt, transaction } from '../../store/transaction.ts'
import { isOfData } from '../../store/trouble.ts'
import type { IdentityWindow } from './identity-window.ts'
import { type AsideNews, claimAndSetAside, type OnAside, setAside } from './set-aside.ts'
import { settleChunk } from './settle-hour.ts'

/** Accounts that are settled together at first: so few are looked up one by one, and nobody else's rows are read. */
const GROUP_ACCOUNTS = 50
/** If more accounts of a bucket fail than this, it is not theirs: the bucket is set aside as a whole. */
export const FAILED_ACCOUNTS_MAX = 20

export interface SettleApart {
  readonly due: DueCycle
  readonly bucket: number
  readonly late: boolean
  readonly window: IdentityWindow
  readonly onAside: OnAside
}

/**
 * Settle an hour, or backfill of one, in a single bucket, although something in it fails: in one transaction, part by
 * part. The accounts that fail are set aside in it, and the others have their bills. If it is not for accounts that it
 * fails, the bucket is set aside as a whole.
 */
export async function settleApart(
  pool: pg.Pool,
  work: SettleApart,
): Promise<'settled' | 'set aside' | 'nothing'> {
  try {
    return (await settleOrThrow(pool, work)) ? 'settled' : 'nothing'
  } catch (error) {
    if (!isOfData(error)) throw error
    const news = await claimAndSetAside(pool, { bucket: work.bucket, account: '' }, causeOf(error))
    if (news) work.onAside(news)
    return news ? 'set aside' : 'nothing'
  }
}

/** As `settleApart`, but throws where that sets the whole bucket aside. @returns false: nothing is due, or others are at it */
export async function settleOrThrow(pool: pg.Pool, work: SettleApart): Promise<boolean> {
  const { due, bucket, late, onAside } = work
  const told: AsideNews[] = []
  const settled = await transaction(pool, async (client) => {
    const next = await runOne(client, claimBucket, { bucket })
    if (next === undefined) return false
    const backfill = await runOne(client, findBackfillOf, { bucket, account: null })
    const isDue = late ? isSame(backfill, due) : next === due.hour && backfill === undefined
    if (!isDue) return false
    const accounts = late
      ? await run(client, listBackfillAccounts, { ...due, buckets: [bucket] })
      : await run(client, listCycleAccounts, { bucket, hour: due.hour })
    const failed = await settleParts(client, work, accounts)
    for (const { account, error } of failed) {
      const news = await setAside(client, { bucket, account }, error)
      if (news) told.push(news)
    }
    if (late) {
      const names = new Set(failed.map(({ account }) => account))
      const done = accounts.map(({ account }) => account).filter((account) => !names.has(account))
      await run(client, deleteBackfillHours, { hour: due.hour, bucket, accounts: done })
    } else await run(client, updateBucketSettled, { buckets: [bucket], to: (due.hour + 1) as Hour })
    return true
  })
  told.forEach(onAside)
  return settled
}

function isSame(found: DueCycle | undefined, due: DueCycle): boolean {
  return found?.hour === due.hour && found.priceVersion === due.priceVersion
}

interface Failed extends SettledAccount {
  readonly error: unknown
}

/** Parts that fail are halved, down to the accounts that do. */
async function settleParts(
  client: pg.PoolClient,
  { due, bucket, late, window }: SettleApart,
  accounts: readonly SettledAccount[],
): Promise<readonly Failed[]> {
  const failed: Failed[] = []
  const parts: (readonly SettledAccount[])[] = []
  for (let start = 0; start < accounts.length; start += GROUP_ACCOUNTS)
    parts.push(accounts.slice(start, start + GROUP_ACCOUNTS))
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const group = part
    const failure = await attempt(client, () =>
      settleChunk(client, { due, buckets: [bucket], accounts: group, late, window }),
    )
    if (failure === undefined) continue
    if (!isOfData(failure.error)) throw failure.error
    const [first] = group
    if (group.length > 1) {
      const half = Math.ceil(group.length / 2)
      parts.push(group.slice(half), group.slice(0, half))
    } else failed.push({ ...first!, error: failure.error })
    if (failed.length > FAILED_ACCOUNTS_MAX) throw new ManyAccountsFailed(failure.error)
  }
  return failed
}

/** So many accounts of a bucket fail that it is not theirs. */
class ManyAccountsFailed extends Error {
  override readonly name = 'ManyAccountsFailed'

  constructor(cause: unknown) {
    super('many accounts of a bucket fail', { cause })
  }
}

/** What fails, and not how often. */
export function causeOf(error: unknown): unknown {
  return error instanceof ManyAccountsFailed ? error.cause : error
}
