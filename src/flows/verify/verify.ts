import { billId } from '../../core/bill/bill-id.ts'
import { plain } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { readPriceBook } from '../../core/rate/price-book/parse/read-price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { readPriceList } from '../../core/rate/price-list/read-price-list.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { bucketOf, BUCKETS } from '../../core/ingest/bucket.ts'
import { formatHour, type Hour } from '../../core/time/hour.ts'
import { type BrokenChain, findBrokenChains } from '../../store/bills.ts'
import { countEvents, findNextFactHour, listTableBounds } from '../../store/usage-events.ts'
import { findWatermarks } from '../../store/deployment.ts'
import { listPriceVersionRows } from '../../store/price-versions.ts'
import { type BrokenPosition, findBrokenPositions } from '../../store/rate-positions.ts'
import { listPriceLists } from '../../store/price-lists.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import type { Difference } from './compare-bill.ts'
import { sha256 } from '../shared/sha256.ts'
import { bucketsPerTransaction, COUNTED_EVENTS_MAX } from '../settle/settle.ts'
import { verifyClosings } from './verify-closings.ts'
import { verifyHour } from './verify-hour.ts'
import { type KeptRoot, verifyLog } from './verify-log.ts'
import { verifyTotals } from './verify-totals.ts'

export type { Difference } from './compare-bill.ts'

export interface Verify {
  /** Only this account; undefined: all. */
  readonly account?: string | undefined
  /** Cycles in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** A checkpoint of the log from outside, which the log is held against. */
  readonly kept?: KeptRoot | undefined
  readonly onProgress: (progress: VerifyProgress) => void
}

export interface VerifyProgress {
  /** The cycle that was done last. */
  readonly hour: Hour
  readonly hours: number
  readonly bills: number
}

/**
 * Make every bill of a range again from its facts, and name whatever differs: prices, events, held events, levels, lines,
 * bills, digests, chains, bills that are missing, and what closed accounts store after their closing. Reads only; give it a transaction of REPEATABLE READ, so that bills
 * issued meanwhile do not look like differences.
 */
export async function* verify(
  sql: Sql,
  { account, from, to, kept, onProgress }: Verify,
): AsyncGenerator<Difference> {
  const books = new Map<number, PriceBook>()
  yield* verifyPrices(sql, books)
  const watermarks = await runOne(sql, findWatermarks, undefined)
  const bookOf = async (version: number) => {
    const book = books.get(version)
    if (!book)
      throw new Error(`price book version ${version} cannot be read: nothing billed with it can be verified`)
    return book
  }
  const only = account ?? null
  const listsOf = async (version: number) => listsAt(sql, version, await bookOf(version))
  const common = { account: only, bookOf, listsOf, books }
  let hours = 0
  let bills = 0
  for await (const hour of hoursWithFacts(sql, from, to)) {
    const isSettled = hour < watermarks!.settledUntil
    for (const buckets of await chunksOf(sql, hour, account)) {
      const asked = { ...common, hour, buckets, isSettled }
      const verified = await releasingLocks(sql, () => verifyHour(sql, asked))
      bills += verified.bills
      yield* verified.differences
    }
    hours += 1
    onProgress({ hour, hours, bills })
  }
  yield* await verifyTotals(sql, only)
  yield* await releasingLocks(sql, () => verifyClosings(sql, only))
  for (const broken of await run(sql, findBrokenChains, { account: only })) yield chainDifference(broken)
  for (const broken of await run(sql, findBrokenPositions, { account: only }))
    yield positionDifference(broken)
  // The log is of all accounts: it is held against all, or left out.
  if (only === null || kept) yield* verifyLog(sql, kept)
}

/**
 * The hours in [from, to) that have facts, oldest first. Looked for between the bounds of partitions: so a look opens one of
 * each table, however many there are.
 */
async function* hoursWithFacts(sql: Sql, from: Hour, to: Hour): AsyncGenerator<Hour> {
  const bounds = (await run(sql, listTableBounds, undefined)).filter((hour) => hour > from && hour < to)
  let after = (from - 1) as Hour
  for (const before of [...bounds, to]) {
    for (;;) {
      const range = { after, before }
      const found = await releasingLocks(sql, () => runOne(sql, findNextFactHour, range))
      if (found === undefined || found === null) break
      yield found
      after = found
    }
    after = (before - 1) as Hour
  }
}

/** As many buckets at once as settlement takes, so that memory holds about as many bills. */
async function chunksOf(
  sql: Sql,
  hour: Hour,
  account: string | undefined,
): Promise<readonly (readonly number[])[]> {
  if (account !== undefined) return [[bucketOf(account)]]
  const count = { hour, limit: COUNTED_EVENTS_MAX }
  const width = bucketsPerTransaction((await releasingLocks(sql, () => runOne(sql, countEvents, count))) ?? 0)
  return Array.from({ length: BUCKETS / width }, (_, chunk) =>
    Array.from({ length: width }, (_bucket, index) => chunk * width + index),
  )
}

/** A version that was edited is a difference; if it can still be read, bills are computed again with it all the same. */
async function* verifyPrices(sql: Sql, books: Map<number, PriceBook>): AsyncGenerator<Difference> {
  for (const { version, book, digest } of await run(sql, listPriceVersionRows, undefined)) {
    const place = `price book version ${version}`
    const is = sha256(book)
    if (is !== digest) yield { place, detail: `its text has the digest ${is}, and should have ${digest}` }
    const read = readStored(book)
    if (read) books.set(version, read)
    else yield { place, detail: 'its text is no valid price book' }
  }
  for (const { name, list, digest } of await run(sql, listPriceLists, { version: null })) {
    const is = sha256(list)
    if (is !== digest)
      yield {
        place: `price list ${name}`,
        detail: `its text has the digest ${is}, and should have ${digest}`,
      }
  }
}

function readStored(text: string): PriceBook | undefined {
  try {
    const read = readPriceBook(JSON.parse(text) as Json)
    return read.ok ? read.book : undefined
  } catch {
    return undefined
  }
}

function chainDifference({ account, hour, wanted, found, digestDiffers }: BrokenChain): Difference {
  const place =
    hour === null ? `account ${account}, newest bill` : `account ${account}, bill of ${formatHour(hour)}`
  if (!digestDiffers)
    return { place, detail: `bill ${wanted} in sequence should be here, and ${found ?? 'none'} is` }
  const detail = 'the digest that is remembered of the bill before is not the digest of that bill'
  return { place, detail }
}

function positionDifference({
  account,
  item,
  rate,
  stretchFrom,
  hour,
  number,
  is,
  wanted,
}: BrokenPosition): Difference {
  const stretch = `${item}/${rate} from ${formatHour(stretchFrom)} on`
  const place =
    hour === null
      ? `account ${account}, kept position of ${stretch}`
      : `bill ${billId(account, hour)}, line ${number}, position of ${stretch}`
  return { place, detail: `is ${plain(is)}, and the lines before it come to ${plain(wanted)}` }
}

/** The price lists of a version; one that was edited is a difference, told with the prices. */
async function listsAt(sql: Sql, version: number, book: PriceBook): Promise<ReadonlyMap<string, PriceList>> {
  const lists = new Map<string, PriceList>()
  for (const { name, list } of await run(sql, listPriceLists, { version })) {
    const read = readPriceList(JSON.parse(list) as Json, book)
    if (read.ok) lists.set(name, read.list)
  }
  return lists
}
