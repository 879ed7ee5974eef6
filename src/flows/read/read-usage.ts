import { bucketOf } from '../../core/ingest/bucket.ts'
import { decimal, plain, plus } from '../../core/money/decimal.ts'
import { type Hour, hourOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { lockSnapshot } from '../../store/backup.ts'
import {
  type OnlyRate,
  listUsageRows,
  readUsageOfAll,
  type UsageGroup,
  type UsageKey,
  type UsageRow,
  type UsageWindow,
} from '../../store/usage.ts'
import { run, type Sql } from '../../store/query.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { transaction } from '../../store/transaction.ts'
import { type Page, pageOf } from '../shared/page.ts'
import { loadPaid } from '../accounts/account-pricing.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { findDeployment, readWatermarks } from '../shared/read-deployment.ts'
import { OPEN_READING, type OpenUsage, readOpenUsage, type TooMuchOpen } from './read-open-usage.ts'
import { type AskOpenUsageOfAll, readOpenUsageOfAll } from './read-open-usage-of-all.ts'
import { compareKeys } from './usage-window.ts'

export {
  type OnlyRate,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageKey,
  type UsageRow,
  type UsageWindow,
} from '../../store/usage.ts'

export interface AskUsage {
  /** Undefined: that of all accounts. */
  readonly account: string | undefined
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

export type ReadUsage = { readonly ok: true; readonly usage: Usage } | TooMuchOpen

/**
 * What an account has used, or all have, by the hour in which it happened: what its bills say, and what is on no bill
 * yet, read from the events under the newest prices. Held and conflicting events do not count.
 */
export async function listUsage(pool: Pool, ask: AskUsage): Promise<ReadUsage> {
  return transaction(pool, async (sql) => {
    await run(sql, lockSnapshot, undefined)
    const { now } = await readWatermarks(sql)
    const { currency } = await findDeployment(sql)
    const billed = await readBilled(sql, ask)
    const { book, lists } = await bookOf(sql, null)
    const open = await readOpen(sql, { ...ask, book, lists, now })
    if (!open.ok) return open
    const rows = merge(
      billed,
      open.rows.filter((row) => isAfter(row, ask.after)),
    )
    return { ok: true, usage: { ...pageOf(rows, ask.limit, (row) => row), asOf: now, currency } }
  })
}

function readBilled(sql: Sql, { account, ...ask }: AskUsage): Promise<readonly UsageRow[]> {
  const limit = ask.limit + 1
  if (account === undefined) return run(sql, readUsageOfAll, { ...ask, limit })
  return run(sql, listUsageRows, { ...ask, account, bucket: bucketOf(account), limit })
}

async function readOpen(sql: Sql, { account, ...ask }: AskUsage & AskOpenUsageOfAll): Promise<OpenUsage> {
  if (account === undefined) return readOpenUsageOfAll(sql, ask)
  const { book, lists, now } = ask
  const paid = (await loadPaid(sql, { book, lists, hour: hourOf(now) }, [account]))(account)
  return readOpenUsage(sql, { ...ask, paid, account, bucket: bucketOf(account), max: OPEN_READING })
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
