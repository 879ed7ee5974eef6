import type { BillLine } from '../../core/bill/bill.ts'
import { groupBy } from '../../core/group-by.ts'
import { assess } from '../../core/rate/rating/assess.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { run, type Sql } from '../../store/query.ts'
import {
  type BillKey,
  type HourPosition,
  listSourceEvents,
  listUsageHourLines,
  type SourceEvent,
} from '../../store/source-events.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { isUnder, usageEvent } from './read-line-events.ts'

/** Events that one answer looks at, to find the lines that they are behind: some seconds. */
export const SOURCE_EVENTS_MAX = 1_000_000
const PAGE_EVENTS = 5_000

/** On how many lines of bills a source's events are. */
export interface SourceLines {
  readonly lines: number
  /** Those of them that correct an older hour. */
  readonly correctionLines: number
}

export interface AskSourceLines {
  /** Ranges of usage hours in which events may be. */
  readonly days: readonly { readonly from: Hour; readonly to: Hour }[]
  /** Only usage of this account; undefined: of all. */
  readonly account: string | undefined
  readonly bucket: number | undefined
  /** In the order of their bytes. */
  readonly sources: readonly { readonly source: string }[]
}

export interface TooManySourceEvents {
  readonly ok: false
  readonly code: 'source/too_many_events'
  readonly detail: string
}

export type CountedSourceLines =
  { readonly ok: true; readonly lines: ReadonlyMap<string, SourceLines> } | TooManySourceEvents

/**
 * On how many lines of bills the events of each source are. The core says so, by the price version of each line, as it did
 * for the bill: an event is on the lines of its cycle's bill for its usage hour that charge it.
 */
export async function countLinesOfSources(sql: Sql, ask: AskSourceLines): Promise<CountedSourceLines> {
  const { days, account, bucket, sources } = ask
  const [first, last] = [sources[0]?.source, sources.at(-1)?.source]
  const counting: Counting = { sql, lines: new Map(), behind: new Map(), account: undefined }
  if (first === undefined || last === undefined) return { ok: true, lines: counting.lines }
  let seen = 0
  for (const hour of days.flatMap(hoursOf)) {
    let after: HourPosition | undefined
    for (let isDone = false; !isDone;) {
      const page = { hour, first, last, account, bucket, after, limit: PAGE_EVENTS }
      const events = await run(sql, listSourceEvents, page)
      await addPage(counting, hour, events)
      seen += events.length
      if (seen > SOURCE_EVENTS_MAX) return tooMany()
      after = events.at(-1)
      isDone = events.length < PAGE_EVENTS
    }
    endAccount(counting)
  }
  return { ok: true, lines: counting.lines }
}

function hoursOf({ from, to }: { readonly from: Hour; readonly to: Hour }): readonly Hour[] {
  return Array.from({ length: to - from }, (_, index) => (from + index) as Hour)
}

function tooMany(): TooManySourceEvents {
  const detail = `The hours have more than ${SOURCE_EVENTS_MAX} events: ask for fewer hours, or for one account.`
  return { ok: false, code: 'source/too_many_events', detail }
}

interface Counting {
  readonly sql: Sql
  readonly lines: Map<string, SourceLines>
  /** Of the account at hand, by source and bill: events come account by account, and all of them are too many. */
  readonly behind: Map<string, Behind>
  account: string | undefined
}

interface Behind {
  readonly source: string
  readonly isCorrection: boolean
  /** Lines of the bill that are of the usage hour. */
  readonly all: readonly BillLine[]
  /** Numbers of those that its events are behind. */
  readonly found: Set<number>
}

async function addPage(counting: Counting, hour: Hour, events: readonly SourceEvent[]): Promise<void> {
  const lines = await linesOf(counting.sql, hour, events)
  const books = await booksOf(counting.sql, lines)
  for (const event of events) {
    if (event.account !== counting.account) endAccount(counting)
    counting.account = event.account
    const bill = billName(event)
    const all = lines.get(bill)
    if (all === undefined) continue
    const name = `${event.source}\0${bill}`
    const behind = counting.behind.get(name) ?? {
      source: event.source,
      isCorrection: event.cycle > hour,
      all,
      found: new Set(),
    }
    counting.behind.set(name, behind)
    // Nearly always all are found soon: a source's events are alike.
    if (behind.found.size < all.length) addEvent(behind, books, event)
  }
}

async function linesOf(
  sql: Sql,
  hour: Hour,
  events: readonly SourceEvent[],
): Promise<ReadonlyMap<string, readonly BillLine[]>> {
  const bills = [...new Map(events.map((event) => [billName(event), event])).values()]
  const found = await run(sql, listUsageHourLines, { hour, bills })
  const groups = groupBy(found, billName)
  return new Map([...groups].map(([name, lines]) => [name, lines.map(({ line }) => line)]))
}

async function booksOf(
  sql: Sql,
  lines: ReadonlyMap<string, readonly BillLine[]>,
): Promise<ReadonlyMap<number, PriceBook>> {
  const versions = new Set([...lines.values()].flat().map(({ priceVersion }) => priceVersion))
  const books = new Map<number, PriceBook>()
  for (const version of versions) books.set(version, (await bookOf(sql, version)).book)
  return books
}

/** U+0000 occurs in no account. */
function billName({ cycle, account }: Pick<BillKey, 'cycle' | 'account'>): string {
  return `${cycle}\0${account}`
}

function addEvent({ all, found }: Behind, books: ReadonlyMap<number, PriceBook>, event: SourceEvent): void {
  for (const version of new Set(all.map(({ priceVersion }) => priceVersion))) {
    const lines = all.filter((line) => line.priceVersion === version)
    for (const { number } of linesBehind(books.get(version)!, event, lines)) found.add(number)
  }
}

/** Those of the lines, made with this price book, that an event is on. */
function linesBehind(book: PriceBook, event: SourceEvent, lines: readonly BillLine[]): readonly BillLine[] {
  const read = usageEvent(book, event.account, event)
  const { usage } = read
  const assessment = assess(book, read)
  if (usage === undefined || assessment.outcome !== 'accepted') return []
  if (usage.component !== 'storage')
    return lines.filter((line) => assessment.charges.some((charge) => isUnder(charge, line)))
  const { project, region } = usage
  return lines.filter(
    (line) => line.component === 'storage' && line.project === project && line.region === region,
  )
}

/** Adds up what was found of the account at hand. */
function endAccount({ lines, behind }: Counting): void {
  for (const { source, isCorrection, found } of behind.values()) {
    const sum = lines.get(source) ?? { lines: 0, correctionLines: 0 }
    lines.set(source, {
      lines: sum.lines + found.size,
      correctionLines: sum.correctionLines + (isCorrection ? found.size : 0),
    })
  }
  behind.clear()
}
