import { bucketOf } from '../../core/ingest/bucket.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import type { Hour } from '../../core/time/hour.ts'
import { listEventDays } from '../../store/usage-events.ts'
import { countSourceDay, type SourceEvents } from '../../store/source-events.ts'
import { run, type Sql } from '../../store/query.ts'
import { type Page, pageOf } from '../shared/page.ts'
import { countLinesOfSources, type SourceLines, type TooManySourceEvents } from './lines-of-sources.ts'

/** Hours of usage that one question is about: each day of them is read. */
export const SOURCE_HOURS_MAX = 31 * 24
const HOURS_PER_DAY = 24

/** How timely a source was over some hours. */
export interface SourceTimeliness extends SourceEvents, SourceLines {
  /** Of its lines that had to be corrections, 0 to 1, rounded to 4 digits. */
  readonly share: number
}

export interface ListSources {
  /** Usage hours in [from, to): at most SOURCE_HOURS_MAX. */
  readonly from: Hour
  readonly to: Hour
  readonly account: string | undefined
  /** The source of the page before that came last. */
  readonly after: string | undefined
  readonly limit: number
}

export type ListedSources =
  { readonly ok: true; readonly page: Page<SourceTimeliness, string> } | TooManySourceEvents

/**
 * Which sources send late, from the events and the lines behind which they are: in the order of their names. A day gives
 * at most one more than a page, its first ones, so the first ones of all days are complete.
 */
export async function listSources(sql: Sql, ask: ListSources): Promise<ListedSources> {
  const { account, after = '', limit } = ask
  const bucket = account === undefined ? undefined : bucketOf(account)
  const days = await daysOf(sql, ask)
  const sums = new Map<string, SourceEvents>()
  for (const range of days) {
    const rows = await run(sql, countSourceDay, { ...range, account, bucket, after, limit: limit + 1 })
    for (const row of rows) sums.set(row.source, added(sums.get(row.source), row))
  }
  const sorted = [...sums.values()].sort((a, b) => compareBytes(a.source, b.source)).slice(0, limit + 1)
  const page = pageOf(sorted, limit, ({ source }) => source)
  const counted = await countLinesOfSources(sql, { days, account, bucket, sources: page.items })
  if (!counted.ok) return counted
  const items = page.items.map((events) => {
    const lines = counted.lines.get(events.source) ?? NO_LINES
    return { ...events, ...lines, share: shareOf(lines) }
  })
  return { ok: true, page: { items, next: page.next } }
}

const NO_LINES: SourceLines = { lines: 0, correctionLines: 0 }

interface HourRange {
  readonly from: Hour
  readonly to: Hour
}

/** The parts of a range that lie in one UTC day each and may have events. */
async function daysOf(sql: Sql, { from, to }: ListSources): Promise<readonly HourRange[]> {
  const days = await run(sql, listEventDays, undefined)
  return days
    .map((day) => ({
      from: Math.max(from, day * HOURS_PER_DAY) as Hour,
      to: Math.min(to, (day + 1) * HOURS_PER_DAY) as Hour,
    }))
    .filter((part) => part.from < part.to)
}

function added(sum: SourceEvents | undefined, row: SourceEvents): SourceEvents {
  if (sum === undefined) return row
  return {
    source: row.source,
    events: sum.events + row.events,
    lateEvents: sum.lateEvents + row.lateEvents,
  }
}

function shareOf({ lines, correctionLines }: SourceLines): number {
  return lines === 0 ? 0 : Math.round((correctionLines / lines) * 10_000) / 10_000
}
