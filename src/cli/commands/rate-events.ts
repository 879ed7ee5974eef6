import { createHash } from 'node:crypto'
import { type Bill } from '../../core/bill/bill.ts'
import { billsOnPaper } from '../../core/bill/bills-on-paper.ts'
import { accept } from '../../core/ingest/accept.ts'
import type { UsageEvent } from '../../core/ingest/event.ts'
import { isObject } from '../../core/ingest/read-usage.ts'
import { rejectFault } from '../../core/ingest/reject-fault.ts'
import { isRejection, reject, type Rejection } from '../../core/ingest/rejection.ts'
import { standingOf } from '../../core/ingest/standing.ts'
import { assess } from '../../core/rate/rating/assess.ts'
import { isIllustrative, type PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { type AccountPrices, publicPrices } from '../../core/rate/rating/account-prices.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { isExactJson } from '../../core/text/json/exact-json.ts'
import { findFault } from '../../core/text/json/json-faults.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { type EventLine, LINE_BYTES_MAX } from '../import/event-lines.ts'
import type { LineProblem, OutcomeCounts } from '../terminal/outcomes.ts'

/** Bills of a file, and what became of its lines. */
export interface RatedEvents {
  readonly bills: readonly Bill[]
  readonly counts: OutcomeCounts
  readonly problems: readonly LineProblem[]
}

interface ReadEvent {
  readonly line: number
  readonly event: UsageEvent
}

/**
 * Bills on paper for lines of NDJSON, in memory. Each line has the outcome that the server would give it if
 * the file had been sent to an empty one, and everything had arrived before its hour was settled.
 * @param receivedAt events may be at most 5 minutes later than this
 * @param list what every account of the file pays by, in every hour; undefined: the public prices
 */
export async function rateEvents(
  book: PriceBook,
  lines: AsyncIterable<EventLine>,
  receivedAt: Instant,
  list?: PriceList,
): Promise<RatedEvents> {
  const read: ReadEvent[] = []
  const problems: LineProblem[] = []
  for await (const line of lines) {
    const raw = parseLine(line)
    const event = isRejection(raw) ? raw : (raw.fault ?? readEvent(book, raw.value, receivedAt))
    if (isRejection(event)) problems.push(rejected(line.number, raw, event))
    else read.push({ line: line.number, event })
  }
  const counts = { accepted: 0, duplicates: 0, conflicts: 0, held: 0, rejected: problems.length }
  const standing = standingOf(read.map(({ event }) => event))
  const events = read.filter((_, index) => standing[index] === 'stands').map(({ event }) => event)
  for (const [index, { line, event }] of read.entries()) {
    const place = { line, id: event.id }
    if (standing[index] === 'duplicate') counts.duplicates += 1
    else if (standing[index] === 'conflict') {
      counts.conflicts += 1
      problems.push({ ...place, outcome: 'conflict', code: 'event/conflict', detail: CONFLICT })
    } else {
      const assessment = assess(book, event)
      if (assessment.outcome !== 'held') {
        counts.accepted += 1
        continue
      }
      counts.held += 1
      problems.push({ ...place, outcome: 'held', code: assessment.code, detail: assessment.detail })
    }
  }
  const prices = list && pricesUnder(book, list)
  const pricesOf = prices && (() => prices)
  const context = { priceVersion: 1, demo: isIllustrative(book), sha256, pricesOf }
  const bills = billsOnPaper(book, events, context)
  return { bills, counts, problems: problems.toSorted((a, b) => a.line - b.line) }
}

function pricesUnder(book: PriceBook, list: PriceList): AccountPrices {
  const assigned = [{ list: list.name, from: 0 as Hour }]
  return { ...publicPrices(book), lists: new Map([[list.name, list]]), assigned }
}

const CONFLICT = 'Another event with the same source and id, and other content or time, counts instead.'

function readEvent(book: PriceBook, raw: Json, receivedAt: Instant): UsageEvent | Rejection {
  const event = accept(raw, { receivedAt, eventTypes: book.eventTypes })
  if (isRejection(event)) return event
  const assessment = assess(book, event)
  return assessment.outcome === 'rejected' ? assessment.rejection : event
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

interface ParsedLine {
  readonly value: Json
  /** The text says what the value does not. */
  readonly fault: Rejection | undefined
}

function parseLine({ bytes }: EventLine): ParsedLine | Rejection {
  if (bytes === undefined) {
    return reject('event/too_long', `The line is longer than ${LINE_BYTES_MAX} bytes: send less.`)
  }
  try {
    const text = utf8.decode(bytes)
    const value = JSON.parse(text) as Json
    const fault = isExactJson(value, bytes) ? undefined : findFault(text)
    return { value, fault: fault && rejectFault(fault) }
  } catch (error) {
    const what = error instanceof SyntaxError ? `is not JSON (${error.message})` : 'is not UTF-8'
    return reject('event/unreadable', `The line ${what}: send one CloudEvent as JSON on each line.`)
  }
}

function rejected(line: number, raw: ParsedLine | Rejection, reason: Rejection): LineProblem {
  const id = 'value' in raw && isObject(raw.value) ? raw.value['id'] : undefined
  return { line, id: typeof id === 'string' ? id : null, outcome: 'rejected', ...reason }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
