import { accept } from '../../src/core/ingest/accept.ts'
import type { UsageEvent } from '../../src/core/ingest/event.ts'
import { isRejection } from '../../src/core/ingest/rejection.ts'
import { standingOf } from '../../src/core/ingest/standing.ts'
import { assess } from '../../src/core/rate/rating/assess.ts'
import type { AccountPrices } from '../../src/core/rate/rating/account-prices.ts'
import type { PriceBook } from '../../src/core/rate/price-book/price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { accountMonths } from '../../src/core/time/account-months.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { Month } from '../../src/core/time/zone-month.ts'
import { offsetAt } from '../../src/flows/accounts/time-zones.ts'
import { formatProblem, parsePriceBook, parsePriceList } from '../../src/flows/prices/parse-price-book.ts'
import { table } from '../table.ts'

/** When the events of a scenario are received, unless they say otherwise: after all of them. */
const RECEIVED_AT = Date.parse('2026-01-01T00:00:00Z') as Instant

/** A fenced block of a scenario: ```kind rest. */
export interface Block {
  readonly info: string
  readonly content: string
}

export const BLOCK = /^```([^\n]+)\n([\s\S]*?)^```$/gm

export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(BLOCK)].map(([, info = '', content = '']) => ({ info, content }))
}

export function readBook(yaml: string, file: string): PriceBook {
  const parsed = parsePriceBook(yaml, file)
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.book
}

type Row = Readonly<Partial<Record<string, string>>>

/** The CloudEvent that a row of an events table stands for. scenarios/README.md explains the columns. */
function cloudEvent(row: Row, index: number): Json {
  const { time, account = 'acme', id, source, type = 'request', operation, result, used } = row
  const place = without({ project: row['project'], region: row['region'], resource: row['resource'] })
  const quantities = Object.fromEntries((used || '').split(',').flatMap(readUsed))
  const data: Record<string, () => Json> = {
    request: () => ({
      operation: operation!,
      status: Number(result),
      ...(used ? { count: quantities['call']! } : {}),
    }),
    sync: () => ({ operation: operation!, mode: 'sync', quantities, ...without({ outcome: result }) }),
    async: () => ({ operation: operation!, mode: 'async', quantities, ...without({ outcome: result }) }),
    level: () => ({ bytes: quantities['byte']!, ...without({ dataset: row['dataset'] }) }),
  }
  const read = data[type]
  if (!read) throw new Error(`type ${type} is none of ${Object.keys(data).join(', ')}`)
  return {
    specversion: '1.0',
    id: id || `row-${index + 1}`,
    source: source || '/scenario',
    type: { request: 'farthing.request', level: 'farthing.storage' }[type] ?? 'farthing.processing',
    subject: account,
    time: time!,
    data: { ...(read() as object), ...place },
  }
}

/** `2 call` or `83250 millisecond`. */
function readUsed(text: string): [unit: string, amount: string][] {
  const [amount, unit] = text.trim().split(' ')
  return amount && unit ? [[unit, amount]] : []
}

function without(members: Readonly<Record<string, string | undefined>>): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, string] => !!member[1]),
  )
}

/** What became of each row of an events table, in order, and the events that count. */
export function deliver(
  book: PriceBook,
  events: string,
): {
  readonly becomes: readonly string[]
  readonly expected: readonly string[]
  readonly counted: UsageEvent[]
  /** When it came in or was voided, where that is later than its hour. */
  readonly later: ReadonlyMap<UsageEvent, Later>
} {
  const rows: readonly Row[] = table(events)
  const read = rows.map((row, index) =>
    accept(cloudEvent(row, index), { receivedAt: RECEIVED_AT, eventTypes: book.eventTypes }),
  )
  const outcomes = read.map((event) => (isRejection(event) ? event.code : outcomeOf(book, event)))
  const valid = read.filter((_, index) => !outcomes[index]!.startsWith('event/')) as UsageEvent[]
  const standing = new Map(standingOf(valid).map((stands, index) => [valid[index]!, stands]))
  const becomes = read.map((event, index) => {
    const stands = standing.get(event as UsageEvent) ?? 'stands'
    return stands === 'stands' ? outcomes[index]! : stands
  })
  const later = rows.map((row, index) => [read[index] as UsageEvent, laterOf(row)] as const)
  return {
    becomes,
    expected: rows.map((row) => row['becomes'] || 'accepted'),
    counted: valid.filter((event) => standing.get(event) === 'stands'),
    later: new Map(later.filter(([event]) => !isRejection(event))),
  }
}

export interface Later {
  readonly received: Hour | undefined
  readonly voided: Hour | undefined
}

function laterOf(row: Row): Later {
  return { received: hourIn(row['received']), voided: hourIn(row['voided']) }
}

function hourIn(text: string | undefined): Hour | undefined {
  return text ? hourOf(Date.parse(text) as Instant) : undefined
}

/** What the accounts of a scenario pay: the rows of its accounts table, and the price lists that it shows. */
export function readPrices(book: PriceBook, blocks: readonly Block[]): (account: string) => AccountPrices {
  const lists = new Map(
    blocks
      .filter(({ info }) => info === 'yaml price-list')
      .map(({ content }) => {
        const parsed = parsePriceList(content, 'price list', book)
        if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
        return [parsed.value.name, parsed.value] as const
      }),
  )
  const rows: readonly Row[] = blocks
    .filter(({ info }) => info === 'accounts')
    .flatMap(({ content }) => table(content))
  return (account) => {
    const own = rows.filter((row) => row['account'] === account)
    const assigned = own
      .filter((row) => row['list'])
      .map((row) => ({ list: row['list']!, from: hourIn(row['from']) ?? (0 as Hour) }))
    const zone = own.find((row) => row['zone'])?.['zone']
    const zones = zone ? [{ fromMonth: 0 as Month, zone }] : []
    return { book, lists, assigned, monthStart: accountMonths(zones, new Map(), offsetAt).startOf }
  }
}

function outcomeOf(book: PriceBook, event: UsageEvent): string {
  const assessment = assess(book, event)
  if (assessment.outcome === 'rejected') return assessment.rejection.code
  return assessment.outcome === 'held' ? assessment.code : 'accepted'
}
