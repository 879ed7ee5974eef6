import type pg from 'pg'
import { run, runOne, type Sql } from '../../store/query.ts'
import { claimBucket, insertSetAside, type SetAside, updateSetAsideFailed } from '../../store/set-aside.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { transaction } from '../../store/transaction.ts'
import { blameOf } from '../../store/trouble.ts'

/** The pause before the first new try; each further one is twice as long, up to the longest. */
export const RETRY_PAUSE_MS = 5_000
export const RETRY_PAUSE_MS_MAX = 600_000

/** What becomes of accounts that settlement stumbles over. `account` '' is a whole bucket. */
export interface AsideNews {
  readonly kind: 'set aside' | 'failed again' | 'caught up'
  readonly aside: SetAside
  /** Why, but when it has caught up. */
  readonly error?: unknown
}

export type OnAside = (news: AsideNews) => void

/** Set an account of a claimed bucket aside, in this transaction. */
export async function setAside(
  client: Sql,
  { bucket, account }: SettledAccount,
  error: unknown,
): Promise<AsideNews | undefined> {
  const values = { bucket, account, ...blameOf(error), retryMs: RETRY_PAUSE_MS }
  const aside = await runOne(client, insertSetAside, values)
  return aside && { kind: 'set aside', aside, error }
}

/** Set an account or a whole bucket aside. Nothing happens while another process has its bucket: it tries by itself. */
export async function claimAndSetAside(
  pool: pg.Pool,
  key: SettledAccount,
  error: unknown,
): Promise<AsideNews | undefined> {
  return transaction(pool, async (client) => {
    if ((await runOne(client, claimBucket, key)) === undefined) return undefined
    return setAside(client, key, error)
  })
}

/** It was tried again in vain: the next pause is longer. */
export async function noteFailed(
  pool: pg.Pool,
  aside: SetAside,
  error: unknown,
): Promise<AsideNews | undefined> {
  const { bucket, account, attempts } = aside
  const retryMs = Math.min(RETRY_PAUSE_MS * 2 ** attempts, RETRY_PAUSE_MS_MAX)
  const [failed] = await run(pool, updateSetAsideFailed, { bucket, account, ...blameOf(error), retryMs })
  return failed && { kind: 'failed again', aside: failed, error }
}
