import { addEvent, emptyAccountHour } from '../../core/bill/account-hour.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { reread } from '../../core/ingest/reread.ts'
import { compareLevels, type Level } from '../../core/meter/level.ts'
import { isZero } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { lockSnapshot } from '../../store/backup.ts'
import type { SeriesName } from '../../store/storage-series.ts'
import { listLevelsNowRows, type SeriesLevel } from '../../store/storage-levels.ts'
import { type OpenAdjustment, listOpenAdjustments, listOpenHours } from '../../store/open-usage.ts'
import { listUnbilledLevels } from '../../store/open-levels.ts'
import { run, type Sql } from '../../store/query.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { releasingLocks, transaction } from '../../store/transaction.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { eventsAt } from '../settle/adjustments.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { usageEvent } from './read-line-events.ts'
import { byMonth } from '../shared/by-month.ts'
import type { Page } from '../shared/page.ts'
import { OPEN_LEVELS_MAX } from './read-open-usage.ts'

const ADJUSTMENTS_AT_ONCE = 2_000

/** The last series of a page, '' for an absent name. */
export type SeriesPosition = readonly [project: string, dataset: string, region: string]

export interface AskLevelsNow {
  readonly account: string
  readonly after: SeriesPosition | undefined
  readonly limit: number
}

export interface LevelsNow extends Page<Level, SeriesPosition> {
  /** By the database's clock: an age is counted until then. */
  readonly asOf: Instant
}

export type ReadLevelsNowResult =
  | { readonly ok: true; readonly levels: LevelsNow }
  | { readonly ok: false; readonly code: 'usage/too_many_open_events'; readonly detail: string }

/**
 * What an account stores now: the level in force of each series, by project, dataset and region, billed or not. Levels of 0 bytes
 * are left out, so a page may be short, even empty, and yet have a next one.
 */
export async function listLevelsNow(
  pool: Pool,
  { account, after, limit }: AskLevelsNow,
): Promise<ReadLevelsNowResult> {
  return transaction(pool, async (sql) => {
    await run(sql, lockSnapshot, undefined)
    const { now } = await readWatermarks(sql)
    const { book } = await bookOf(sql, null)
    const scope: Scope = { sql, book, bucket: bucketOf(account), account, now }
    const { released, withdrawn } = await openAdjustments(scope)
    const unbilled = await unbilledLevels(scope, released)
    if (!unbilled) return refuseMany()
    const position = after && { project: after[0], dataset: after[1], region: after[2] }
    const settled = await run(sql, listLevelsNowRows, {
      ...scope,
      withdrawn,
      after: position,
      limit: limit + 1,
    })
    const later = unbilled.filter(
      (level) => level.at <= now && (!position || compareNames(nameOf(level), position) > 0),
    )
    const series = inForce(settled, later)
    const kept = series.slice(0, limit)
    const end = kept.at(-1)
    return {
      ok: true,
      levels: {
        items: kept.flatMap(({ level }) => (level && !isZero(level.bytes) ? [level] : [])),
        next: series.length > limit && end ? [end.project, end.dataset, end.region] : null,
        asOf: now,
      },
    }
  })
}

function refuseMany(): ReadLevelsNowResult {
  const detail = `The hours without bills have more than ${OPEN_LEVELS_MAX} levels of stored data of this account`
  const advice = 'ask again when these have their bills (see /v1/cycles)'
  return { ok: false, code: 'usage/too_many_open_events', detail: `${detail}: ${advice}.` }
}

interface Scope {
  readonly sql: Sql
  readonly book: PriceBook
  readonly bucket: number
  readonly account: string
  readonly now: Instant
}

/** Releases that will bring levels, and voids that will take some back, in bills to come. */
async function openAdjustments({
  sql,
  bucket,
  account,
  now,
}: Scope): Promise<{ released: OpenAdjustment[]; withdrawn: OpenAdjustment[] }> {
  const [released, withdrawn]: [OpenAdjustment[], OpenAdjustment[]] = [[], []]
  const range = { bucket, account, from: 0 as Hour, to: next(hourOf(now)), limit: ADJUSTMENTS_AT_ONCE }
  for (let after: OpenAdjustment | undefined; ;) {
    const adjustments = await run(sql, listOpenAdjustments, { ...range, after })
    for (const adjustment of adjustments) (adjustment.isVoid ? withdrawn : released).push(adjustment)
    if (adjustments.length < ADJUSTMENTS_AT_ONCE || released.length + withdrawn.length > OPEN_LEVELS_MAX)
      break
    after = adjustments.at(-1)
  }
  return { released, withdrawn }
}

/** Levels on no bill yet; undefined when there are too many. */
async function unbilledLevels(
  scope: Scope,
  released: readonly OpenAdjustment[],
): Promise<readonly Level[] | undefined> {
  const { sql, book, bucket, account, now } = scope
  const sums = emptyAccountHour()
  const types = [...book.eventTypes]
    .filter(([, { component }]) => component === 'storage')
    .map(([name]) => name)
  const hours = await run(sql, listOpenHours, { bucket, account, from: 0 as Hour, to: next(hourOf(now)) })
  for (const { items } of byMonth(hours, ({ hour }) => hour)) {
    const ask = { bucket, account, types, hours: items, limit: OPEN_LEVELS_MAX + 1 }
    const found = await releasingLocks(sql, () => run(sql, listUnbilledLevels, ask))
    for (const kept of found) addEvent(sums, book, usageEvent(book, account, kept))
    if (sums.levels.size > OPEN_LEVELS_MAX) return undefined
  }
  if (released.length > OPEN_LEVELS_MAX) return undefined
  for (const event of (await eventsAt(sql, released)).values()) {
    if (!event.isDuplicate)
      addEvent(sums, book, { ...event, usage: reread(book.eventTypes, event.type, event.data) })
  }
  return [...sums.levels.values()]
}

interface Series extends SeriesName {
  readonly level: Level | undefined
}

/** Each series with the last of its levels, settled or not, in the order of project, dataset and region. */
function inForce(settled: readonly SeriesLevel[], unbilled: readonly Level[]): readonly Series[] {
  const series = new Map<string, Series>()
  const add = (name: SeriesName, level: Level | undefined) => {
    // U+0000 occurs in no name.
    const key = `${name.project}\0${name.dataset}\0${name.region}`
    const before = series.get(key)?.level
    const isLater = !before || (level && compareLevels(level, before) > 0)
    series.set(key, { ...name, level: isLater ? level : before })
  }
  for (const { project, dataset, region, level } of settled) {
    const names = { project: project || null, dataset: dataset || null, region: region || null }
    add({ project, dataset, region }, level && { ...level, ...names })
  }
  for (const level of unbilled) add(nameOf(level), level)
  return [...series.values()].sort(compareNames)
}

function nameOf({ project, dataset, region }: Level): SeriesName {
  return { project: project ?? '', dataset: dataset ?? '', region: region ?? '' }
}

function compareNames(a: SeriesName, b: SeriesName): number {
  return (
    compareBytes(a.project, b.project) ||
    compareBytes(a.dataset, b.dataset) ||
    compareBytes(a.region, b.region)
  )
}
