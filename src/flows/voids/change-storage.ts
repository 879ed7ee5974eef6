import type pg from 'pg'
import { emptyAccountHour, takeBack } from '../../core/bill/account-hour.ts'
import { type PaidBy, storageChange } from '../../core/bill/storage-change.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { reread } from '../../core/ingest/reread.ts'
import { type Level, levelName, seriesName } from '../../core/meter/level.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { findVoidedEvents } from '../../store/voids.ts'
import { lockSnapshot } from '../../store/backup.ts'
import { listHourLevels } from '../../store/storage-levels.ts'
import { run, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { OPEN_LEVELS_MAX } from '../read/read-open-usage.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import type { VoidDecision } from './decide-voids.ts'
import { isMeant, type SelectByRange } from './select-events.ts'
import { previewVoids, VOIDS_PER_TRANSACTION_MAX } from './void-events.ts'

/**
 * What taking levels back changes in the hours that are settled, beside everything that was voided before. Orders one
 * after the other add up to what the next bill corrects.
 * @returns money, below 0 when less is charged; null: too many levels are stored to say it at once
 */
export async function changeStorage(
  pool: pg.Pool,
  paid: PaidBy,
  account: string,
  decisions: readonly VoidDecision[],
): Promise<string | null> {
  const takenBack = settledLevels(paid.prices.book, decisions)
  if (takenBack.length === 0) return '0'
  return transaction(pool, async (sql) => {
    await run(sql, lockSnapshot, undefined)
    const { settledUntil: to } = await readWatermarks(sql)
    const levels = await levelsBeside(sql, { account, takenBack, to })
    return levels && storageChange(paid, { levels, takenBack, to })
  })
}

/**
 * What voiding all levels of a range would change, as `changeStorage` says it: for a dry run, whose parts do not see
 * each other.
 */
export async function changeStorageOfRange(
  pool: pg.Pool,
  paid: PaidBy,
  { account, filter }: SelectByRange,
): Promise<string | null> {
  const bucket = bucketOf(account)
  const range = { from: hourOf(filter.from), to: next(hourOf((filter.to - 1) as Instant)) }
  const scope = { bucket, account, project: filter.project, ...range, step: undefined }
  const levels = await run(pool, listHourLevels, { ...scope, limit: OPEN_LEVELS_MAX + 1 })
  if (levels.length > OPEN_LEVELS_MAX) return null
  const keys = levels.map(({ at, id, source }) => ({ hour: hourOf(at), bucket, account, id, source }))
  const decisions: VoidDecision[] = []
  for (let start = 0; start < keys.length; start += VOIDS_PER_TRANSACTION_MAX) {
    const part = await previewVoids(pool, keys.slice(start, start + VOIDS_PER_TRANSACTION_MAX))
    decisions.push(...part.decisions.filter(({ event }) => isMeant(paid.prices.book, filter, event)))
  }
  return changeStorage(pool, paid, account, decisions)
}

/** The levels that bills may know: what counts in an open hour has changed nothing yet. */
export function settledLevels(book: PriceBook, decisions: readonly VoidDecision[]): readonly Level[] {
  const sums = emptyAccountHour()
  for (const { event, cycle, counted } of decisions) {
    if (event.isDuplicate || counted === null || counted === cycle) continue
    takeBack(sums, book, { ...event, usage: reread(book.eventTypes, event.type, event.data) })
  }
  return sums.withdrawn
}

interface Beside {
  readonly account: string
  readonly takenBack: readonly Level[]
  readonly to: Hour
}

/**
 * The levels of the same series that count, and those voided now: from the one before the oldest of these on. Where
 * that one is voided too, and not settled yet, it is looked for ever further back. Null: they are too many.
 */
async function levelsBeside(sql: Sql, { account, takenBack, to }: Beside): Promise<readonly Level[] | null> {
  const bucket = bucketOf(account)
  const [{ project } = { project: null }, ...others] = takenBack
  const only = others.every((level) => level.project === project) ? (project ?? '') : undefined
  const [series, names] = [new Set(takenBack.map(seriesName)), new Set(takenBack.map(levelName))]
  const oldest = hourOf(takenBack.reduce((a, b) => (b.at < a.at ? b : a)).at)
  for (let back = 1, from = oldest; ; back *= 2) {
    const scope = { bucket, account, project: only, from, to, step: undefined, limit: OPEN_LEVELS_MAX + 1 }
    const read = await run(sql, listHourLevels, scope)
    if (read.length > OPEN_LEVELS_MAX) return null
    const beside = read.filter((level) => series.has(seriesName(level)))
    const keys = beside.map(({ at, id, source }) => ({ hour: hourOf(at), bucket, account, id, source }))
    const voided = new Set(await run(sql, findVoidedEvents, keys))
    const before = beside.filter((level, index) => voided.has(index) && !names.has(levelName(level)))
    if (!before.some(({ at }) => hourOf(at) < from)) return beside.filter((level) => !before.includes(level))
    from = Math.min(...before.map(({ at }) => hourOf(at)), from - back) as Hour
  }
}
