import { bucketOf } from '../../core/ingest/bucket.ts'
import { isReservedSource, type LevelEnd } from '../../core/ingest/ended-level.ts'
import { reread } from '../../core/ingest/reread.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { UnendedAccount } from '../../store/accounts.ts'
import { listEventDays } from '../../store/usage-events.ts'
import { type LevelPlace, listLevelsSince } from '../../store/restated-levels.ts'
import { listAccountSeries, type SeriesName } from '../../store/storage-series.ts'
import { listOpenHours } from '../../store/open-usage.ts'
import {
  type LevelEvent,
  listOpenLevels,
  listWaitingHours,
  listWaitingLevels,
} from '../../store/open-levels.ts'
import { run, type Sql } from '../../store/query.ts'

const HOURS_PER_DAY = 24
/** Rows read at once. */
const PAGE_ROWS = 5_000

/** An end, but for the account. */
export type SeriesEnd = Omit<LevelEnd, 'account'>

type Closed = Pick<UnendedAccount, 'account' | 'closedAt'>

/**
 * Where the levels of a closed account have to end: each series at the closing, and above each later level. Some come
 * more than once. Events that are not settled are read before what settlement keeps of those that are, so that one which
 * is settled meanwhile is seen in one of both.
 */
export async function* levelEndsOf(sql: Sql, book: PriceBook, closed: Closed): AsyncGenerator<SeriesEnd> {
  for await (const event of unsettledLevels(sql, book, closed.account)) {
    const usage = reread(book.eventTypes, event.type, event.data)
    if (usage?.component !== 'storage' || isReservedSource(event.source)) continue
    yield* endsOf(closed, event, usage)
  }
  for await (const level of settledLevels(sql, closed)) yield* endsOf(closed, level, namesOf(level))
  for await (const series of settledSeries(sql, closed.account)) {
    yield { ...namesOf(series), at: closed.closedAt, over: undefined }
  }
}

function* endsOf(
  { closedAt }: Closed,
  { at, source }: Pick<LevelPlace, 'at' | 'source'>,
  { project, dataset, region }: Names,
): Generator<SeriesEnd> {
  yield { project, dataset, region, at: closedAt, over: undefined }
  if (at >= closedAt) yield { project, dataset, region, at, over: source }
}

type Names = Pick<LevelEnd, 'project' | 'dataset' | 'region'>

function namesOf({ project, dataset, region }: SeriesName): Names {
  return { project: project || null, dataset: dataset || null, region: region || null }
}

/** Levels on no bill yet, those of events that are or were held included. */
async function* unsettledLevels(sql: Sql, book: PriceBook, account: string): AsyncGenerator<LevelEvent> {
  const types = [...book.eventTypes]
    .filter(([, { component }]) => component === 'storage')
    .map(([type]) => type)
  const scope = { bucket: bucketOf(account), account, types }
  // Not by the clock: it may have been set back since events were accepted.
  const [newestDay = 0] = await run(sql, listEventDays, undefined)
  const to = ((newestDay + 1) * HOURS_PER_DAY) as Hour
  for (const open of await run(sql, listOpenHours, { ...scope, from: 0 as Hour, to })) {
    let page: readonly LevelEvent[] = []
    do {
      page = await run(sql, listOpenLevels, { ...scope, ...open, after: page.at(-1), limit: PAGE_ROWS })
      yield* page
    } while (page.length === PAGE_ROWS)
  }
  for (const hour of await run(sql, listWaitingHours, scope)) {
    yield* await run(sql, listWaitingLevels, { ...scope, hour })
  }
}

/** Levels above 0 at the closing and after it. */
async function* settledLevels(sql: Sql, { account, closedAt }: Closed): AsyncGenerator<LevelPlace> {
  const scope = { bucket: bucketOf(account), account, since: closedAt, limit: PAGE_ROWS }
  let page: readonly LevelPlace[] = []
  do {
    page = await run(sql, listLevelsSince, { ...scope, after: page.at(-1) })
    yield* page
  } while (page.length === PAGE_ROWS)
}

async function* settledSeries(sql: Sql, account: string): AsyncGenerator<SeriesName> {
  const scope = { bucket: bucketOf(account), account, limit: PAGE_ROWS }
  let page: readonly SeriesName[] = []
  do {
    page = await run(sql, listAccountSeries, { ...scope, after: page.at(-1) })
    yield* page
  } while (page.length === PAGE_ROWS)
}
