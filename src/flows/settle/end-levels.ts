import type pg from 'pg'
import { endOfSeries } from '../../core/ingest/ended-level.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { findUnendedAccounts, updateLevelsEnded, type UnendedAccount } from '../../store/accounts.ts'
import { run, runOne } from '../../store/query.ts'
import { ownCandidate } from '../ingest/parse.ts'
import { commitGroup } from '../ingest/commit.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { sha256 } from '../shared/sha256.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { levelEndsOf, type SeriesEnd } from '../accounts/level-ends.ts'

/** Ends that share a transaction, at most: as many as events of senders do. */
const ENDS_PER_TRANSACTION_MAX = 4_000
/** Closed accounts that one call takes: the next call goes on. */
const ACCOUNTS_AT_ONCE_MAX = 100

export interface EndLevels {
  readonly pool: pg.Pool
  /** Only this account; undefined: all that are due. */
  readonly account?: string
  /** Asked between transactions: true leaves the rest to the next call, in any process. */
  readonly stopping: () => boolean
}

/**
 * Let every level of closed accounts count as 0 from their closing on: a level of 0 bytes there for each series that is
 * known so far, and one above each level of a later time that had been accepted before the closing. They are events like
 * any other, so bills and their proof need no rule for them. Levels of before that come in later bring their own end along.
 * Killed at any line it leaves the rest for the next call; run twice, or in several processes, it adds nothing.
 */
export async function endLevels({ pool, account, stopping }: EndLevels): Promise<void> {
  const due = await run(pool, findUnendedAccounts, { account, limit: ACCOUNTS_AT_ONCE_MAX })
  const { book, version } = await bookOf(pool, null)
  for (const closed of due) {
    const isDone = await endAccount(pool, book, closed, stopping)
    if (isDone) await run(pool, updateLevelsEnded, { ...closed, priceVersion: version })
  }
}

/** False: stopped, or the account was opened or closed again. */
async function endAccount(
  pool: pg.Pool,
  book: PriceBook,
  closed: UnendedAccount,
  stopping: () => boolean,
): Promise<boolean> {
  const days = new Set<number>()
  // Whatever was accepted before the closing can be seen by now: its transaction held the gate earlier.
  for await (const ends of distinctGroups(levelEndsOf(pool, book, closed))) {
    if (stopping() || !(await storeEnds(pool, book, closed, ends, days))) return false
  }
  return !stopping()
}

/** False: the account was opened or closed again. Other accounts and price books change nothing here. */
async function storeEnds(
  pool: pg.Pool,
  book: PriceBook,
  closed: UnendedAccount,
  ends: readonly SeriesEnd[],
  days: Set<number>,
): Promise<boolean> {
  for (;;) {
    // Before the closing is looked at: a change after it is noticed behind the gate.
    const { priceVersion, accountsVersion, now } = await readWatermarks(pool)
    const stands = await runOne(pool, findUnendedAccounts, { account: closed.account, limit: 1 })
    if (stands?.closedVersion !== closed.closedVersion) return false
    const sender = { receivedAt: now, writer: '' }
    const events = ends.map((end) => endOfSeries({ ...end, account: closed.account }, sha256))
    const candidates = events.map((event) => ownCandidate(book, event, sender))
    const context = {
      pool,
      priceVersion,
      accountsVersion,
      days,
      types: new Set<string>(),
      onClock: () => undefined,
    }
    const changed = await commitGroup(context, candidates, new Map())
    if (changed === undefined) return true
  }
}

/** In groups of one transaction each, without most of the repeats: the others are duplicates. */
async function* distinctGroups(ends: AsyncIterable<SeriesEnd>): AsyncGenerator<readonly SeriesEnd[]> {
  const group = new Map<string, SeriesEnd>()
  for await (const end of ends) {
    // U+0000 occurs in no part.
    const { project, dataset, region, at, over } = end
    group.set([project ?? '', dataset ?? '', region ?? '', at, over ?? ''].join('\0'), end)
    if (group.size < ENDS_PER_TRANSACTION_MAX) continue
    yield [...group.values()]
    group.clear()
  }
  if (group.size > 0) yield [...group.values()]
}
