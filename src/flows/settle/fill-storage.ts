import { storageFilledFrom } from '../../core/rate/price-book/compare/filled-storage.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { insertRestatedAccounts, type LateHour } from '../../store/late-hours.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { type DueCycle, findCycleVersion } from '../../store/cycles.ts'
import { listStoringAccounts } from '../../store/storage-series.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { bookOf } from '../prices/read-price-version.ts'

/** Of a deployment: what was sealed before its first live hour was sealed with it or a later one. */
const FIRST_VERSION = 1

/**
 * Whose storage a live hour looks at again, and from which hour on, because the version with which it was sealed has
 * prices that the hour before did not know: what was stored while its price was unknown is charged by the first hour that
 * knows it. This follows from the versions of the two hours, so a publication needs to do nothing for it, and none is
 * missed. Whatever was sealed with an older version, backfill too, is settled before the hour's buckets can be claimed.
 * @param buckets claimed
 * @returns everybody who ever stored something; nobody, if nothing older has got a price
 */
export async function filledAccounts(
  sql: Sql,
  due: DueCycle,
  book: PriceBook,
  buckets: readonly number[],
): Promise<readonly LateHour[]> {
  const before = await runOne(sql, findCycleVersion, { hour: (due.hour - 1) as Hour })
  if (before === due.priceVersion) return []
  const older = await bookOf(sql, before ?? FIRST_VERSION)
  const hour = storageFilledFrom(older.book, book, due.hour)
  if (hour === undefined) return []
  return (await run(sql, listStoringAccounts, { buckets })).map((key) => ({ ...key, hour }))
}

/** Note whose storage a cycle has looked at again, for the proof. Those for whom it is not settled leave no trace. */
export async function noteFilled(
  sql: Sql,
  cycle: Hour,
  filled: readonly LateHour[],
  settled: readonly SettledAccount[],
): Promise<void> {
  const names = new Set(settled.map(({ account }) => account))
  const keys = filled.filter(({ account }) => names.has(account))
  if (keys.length > 0) await run(sql, insertRestatedAccounts, { cycle, keys })
}
