import { bucketOf } from '../../core/ingest/bucket.ts'
import type { Windows } from '../../core/time/calendar.ts'
import { type Hour, hourOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { formatMonth, type Month } from '../../core/time/zone-month.ts'
import {
  sumBilledOfAll,
  sumBilledOfOne,
  sumStatementsOfAll,
  sumStatementsOfOne,
  type SumGroup,
  type SumUsage,
  sumUsageOfAll,
  sumUsageOfOne,
  type UsageSum,
} from '../../store/usage.ts'
import { run, type Sql } from '../../store/query.ts'
import { loadPaid } from '../accounts/account-pricing.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { OPEN_READING, type OpenUsage, readOpenUsage, type TooMuchOpen } from './read-open-usage.ts'
import { readOpenUsageOfAll } from './read-open-usage-of-all.ts'
import { type AskUsage, isOfStatements, type UsageRefused } from './usage-ask.ts'
import { cellsOf, mergeSums } from './usage-cells.ts'
import type { Places } from './usage-places.ts'

/** Sums of one answer, each of a window, a group and a unit, before the best are chosen: some tens of megabytes. */
export const USAGE_SUMS_MAX = 100_000

export interface SumsOfUsage {
  readonly ok: true
  /** In no order. */
  readonly sums: readonly UsageSum[]
}

/**
 * What usage comes to, told apart by `groups`: what bills say, and, by the hour of the usage, what is on no bill yet.
 * @param sql a transaction that sees one moment
 */
export async function sumUsage(
  sql: Sql,
  ask: AskUsage,
  places: Places,
  groups: readonly SumGroup[],
  now: Instant,
): Promise<SumsOfUsage | UsageRefused> {
  if (places.from >= places.to) return { ok: true, sums: [] }
  const billed = await readBilled(sql, ask, places, groups)
  if (billed.length > USAGE_SUMS_MAX) return refuseMany()
  if (ask.basis === 'bill') return { ok: true, sums: billed }
  const open = await readOpen(sql, ask, places, groups, now)
  if (!open.ok) return open
  const sums = open.rows.length === 0 ? billed : mergeSums([...billed, ...open.rows])
  return sums.length > USAGE_SUMS_MAX ? refuseMany() : { ok: true, sums }
}

function refuseMany(): UsageRefused {
  const detail = `The answer would have more than ${USAGE_SUMS_MAX} sums`
  const advice = 'ask for a shorter range, longer windows or fewer groups, or filter'
  return { ok: false, code: 'usage/too_many_rows', detail: `${detail}: ${advice}.` }
}

async function readBilled(
  sql: Sql,
  ask: AskUsage,
  places: Places,
  groupBy: readonly SumGroup[],
): Promise<readonly UsageSum[]> {
  const months = isOfStatements(ask) ? statementMonths(ask) : undefined
  const filter = { ...ask.filter, account: restricted(ask.filter.account, places.only) }
  const { from, to, windows, without } = places
  const common: SumUsage = { from, to, windows, groupBy, filter, without, limit: USAGE_SUMS_MAX + 1 }
  if (ask.account !== undefined) {
    const one = { ...common, account: ask.account, bucket: bucketOf(ask.account) }
    const sums = months
      ? await run(sql, sumStatementsOfOne, { ...one, ...months })
      : await run(sql, ask.basis === 'bill' ? sumBilledOfOne : sumUsageOfOne, one)
    const tags = groupBy.includes('tags') ? (places.special.get(ask.account)?.tags ?? 0) : 0
    return tags === 0 ? sums : sums.map((sum) => ({ ...sum, tags }))
  }
  const all = { ...common, places: [...places.special.values()], placeWindows: places.ownWindows }
  if (months) {
    const inMonths = all.places.map((place) => ({ ...place, windows: undefined }))
    return run(sql, sumStatementsOfAll, { ...all, ...months, places: inMonths, placeWindows: [] })
  }
  return run(sql, ask.basis === 'bill' ? sumBilledOfAll : sumUsageOfAll, all)
}

function restricted(
  some: readonly string[] | undefined,
  only: readonly string[] | undefined,
): readonly string[] | undefined {
  if (some === undefined || only === undefined) return some ?? only
  const set = new Set(only)
  return some.filter((account) => set.has(account))
}

/** The windows are months, by number, which stand where hours do elsewhere. */
function statementMonths({ range, window }: AskUsage): {
  readonly months: readonly string[]
  readonly windows: Windows
} {
  const [from, to] = [range.from, range.to]
  if (from.kind !== 'month' || to.kind !== 'month') return { months: [], windows: { base: 0, starts: [] } }
  const numbers: Month[] = []
  for (let month = from.month; month < to.month; month = (month + 1) as Month) numbers.push(month)
  const starts = [...numbers, to.month] as readonly number[] as readonly Hour[]
  const none = { base: 0, starts: [starts[0]!, starts.at(-1)!] }
  return {
    months: numbers.map(formatMonth),
    windows: window === 'none' ? none : { base: from.month, starts },
  }
}

async function readOpen(
  sql: Sql,
  { account, filter }: AskUsage,
  places: Places,
  groups: readonly SumGroup[],
  now: Instant,
): Promise<OpenUsage | TooMuchOpen> {
  const { book, lists } = await bookOf(sql, null)
  const { from, to } = places
  const asked = { from, to, now, cellOf: cellsOf(places, groups, filter) }
  if (account === undefined) return readOpenUsageOfAll(sql, { ...asked, book, lists })
  const paid = (await loadPaid(sql, { book, lists, hour: hourOf(now) }, [account]))(account)
  return readOpenUsage(sql, { ...asked, paid, account, bucket: bucketOf(account), max: OPEN_READING })
}
