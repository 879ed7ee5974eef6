import { bucketOf } from '../../core/ingest/bucket.ts'
import { decimal, plain, plus } from '../../core/money/decimal.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { holdSnapshot } from '../../store/queries/hold-snapshot.ts'
import {
  type OnlyRate,
  readUsage,
  type UsageGroup,
  type UsageKey,
  type UsageRow,
  type UsageWindow,
} from '../../store/queries/read-usage.ts'
import { run } from '../../store/query.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { transaction } from '../../store/transaction.ts'
import { type Page, pageOf } from './page.ts'
import { findDeployment, findMarks } from '../start/read-deployment.ts'
import { readOpenUsage } from './read-open-usage.ts'
import { compareKeys } from './usage-window.ts'

export {
  type OnlyRate,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageKey,
  type UsageRow,
  type UsageWindow,
} from '../../store/queries/read-usage.ts'

export interface AskUsage {
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly window: UsageWindow
  readonly groupBy: readonly UsageGroup[]
  /** Undefined: the usage of all items. */
  readonly only: OnlyRate | undefined
  /** The key of the last row of the page before. */
  readonly after: UsageKey | undefined
  readonly limit: number
}

export interface Usage extends Page<UsageRow, UsageKey> {
  /** The moment that all of it is of, by the database's clock. */
  readonly asOf: Instant
  readonly currency: string
}

export type ReadUsage =
  | { readonly ok: true; readonly usage: Usage }
  | { readonly ok: false; readonly code: 'usage/too_many_open_events'; readonly detail: string }

/**
 * What an account has used, by the hour in which it happened: what its bills say, and what is on no bill yet, read
 * from the events under the newest prices. Held and conflicting events do not count.
 */
export async function listUsage(pool: Pool, ask: AskUsage): Promise<ReadUsage> {
  return transaction(pool, async (sql) => {
    await run(sql, holdSnapshot, undefined)
    const { now } = await findMarks(sql)
    const { currency } = await findDeployment(sql)
    const bucket = bucketOf(ask.account)
    const billed = await run(sql, readUsage, { ...ask, bucket, limit: ask.limit + 1 })
    const open = await readOpenUsage(sql, { ...ask, bucket, now })
    if (!open.ok) return open
    const rows = merge(
      billed,
      open.rows.filter((row) => isAfter(row, ask.after)),
    )
    return { ok: true, usage: { ...pageOf(rows, ask.limit, (row) => row), asOf: now, currency } }
  })
}

function isAfter(row: UsageKey, after: UsageKey | undefined): boolean {
  return after === undefined || compareKeys(row, after) > 0
}

/** Two lists in the order of `compareKeys` as one, with the sums of equal keys. */
function merge(billed: readonly UsageRow[], open: readonly UsageRow[]): readonly UsageRow[] {
  const merged: UsageRow[] = []
  for (const row of [...billed, ...open].sort(compareKeys)) {
    const last = merged.at(-1)
    if (last && compareKeys(last, row) === 0) merged[merged.length - 1] = sumOf(last, row)
    else merged.push(row)
  }
  return merged
}

function sumOf(a: UsageRow, b: UsageRow): UsageRow {
  const add = (name: 'quantity' | 'waived' | 'amount') => plain(plus(decimal(a[name]), decimal(b[name])))
  return { ...a, quantity: add('quantity'), waived: add('waived'), amount: add('amount') }
}
