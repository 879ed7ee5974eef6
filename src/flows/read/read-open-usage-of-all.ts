import { FUTURE_MS_MAX } from '../../core/ingest/accept.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { listOpenAccounts } from '../../store/open-usage.ts'
import type { UsageSum } from '../../store/usage.ts'
import { run, type Sql } from '../../store/query.ts'
import { loadPaid } from '../accounts/account-pricing.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import {
  type AskOpenUsage,
  OPEN_READING,
  type OpenUsage,
  readOpenUsage,
  type TooMuchOpen,
} from './read-open-usage.ts'

/** Accounts with usage on no bill yet that one answer adds up: a few seconds, since each is read by itself. */
export const OPEN_ACCOUNTS_MAX = 2_000

export interface AskOpenUsageOfAll extends Omit<AskOpenUsage, 'bucket' | 'account' | 'max' | 'paid'> {
  /** The newest book, with its price lists. */
  readonly book: PriceBook
  readonly lists: ReadonlyMap<string, PriceList>
}

/** As `readOpenUsage`, of all accounts: one list after the other, so equal keys may be there more than once. */
export async function readOpenUsageOfAll(sql: Sql, ask: AskOpenUsageOfAll): Promise<OpenUsage> {
  const latest = next(hourOf((ask.now + FUTURE_MS_MAX) as Instant))
  const to = Math.min(ask.to, latest) as Hour
  const { settledUntil: unsettledFrom } = await readWatermarks(sql)
  const range = { from: ask.from, to, unsettledFrom, limit: OPEN_ACCOUNTS_MAX + 1 }
  const accounts = await run(sql, listOpenAccounts, range)
  if (accounts.length > OPEN_ACCOUNTS_MAX) return refuseMany()
  const names = accounts.map(({ account }) => account)
  const paid = await loadPaid(sql, { book: ask.book, lists: ask.lists, hour: hourOf(ask.now) }, names)
  const rows: UsageSum[] = []
  let max = OPEN_READING
  for (const account of accounts) {
    const open = await readOpenUsage(sql, { ...ask, ...account, paid: paid(account.account), max })
    if (!open.ok) return open
    for (const row of open.rows) rows.push(row)
    max = { events: max.events - open.read.events, levels: max.levels - open.read.levels }
  }
  const { events, levels } = OPEN_READING
  return { ok: true, rows, read: { events: events - max.events, levels: levels - max.levels } }
}

function refuseMany(): TooMuchOpen {
  const detail = `More than ${OPEN_ACCOUNTS_MAX} accounts have usage in hours without bills`
  const advice = 'ask for hours that have their bills (see /v1/cycles), or for one account'
  return { ok: false, code: 'usage/too_many_open_accounts', detail: `${detail}: ${advice}.` }
}
