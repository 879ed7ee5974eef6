import { groupBy } from '../../core/group-by.ts'
import { type Level, seriesName } from '../../core/meter/level.ts'
import { isZero } from '../../core/money/decimal.ts'
import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import { findKnownSeries, listSeriesEvents } from '../../store/level-rivals.ts'
import { listOpenHours } from '../../store/open-usage.ts'
import { run, type Sql } from '../../store/query.ts'
import type { Candidate } from './parse.ts'

/** New series that one delivery may begin with 0 and be told so: each costs a look-up in the account's open hours. */
export const ENDS_LOOKED_UP_MAX = 50
/** Days whose partitions one statement opens. */
const DAYS_AT_ONCE = 62
const HOURS_PER_DAY = 24
/** A level may be of some minutes from now. */
const HOURS_AHEAD = 2

/** A level of an event. */
export interface EventLevel extends Level {
  readonly event: Candidate
}

/** Those of some new levels that are 0, and the first of their series: no other one is known, billed or not. */
export async function seriesUnknown(sql: Sql, levels: readonly EventLevel[]): Promise<readonly EventLevel[]> {
  if (!levels.some(({ bytes }) => isZero(bytes))) return []
  const series = [...groupBy(levels, (level) => `${level.event.account}\0${seriesName(level)}`).values()]
  const ends = series.flatMap((all) => (all.length === 1 && isZero(all[0]!.bytes) ? all : []))
  if (ends.length === 0) return []
  const settled = new Set(await run(sql, findKnownSeries, ends.map(keyOf)))
  const left = ends.filter((_, index) => !settled.has(index)).slice(0, ENDS_LOOKED_UP_MAX)
  const unknown: EventLevel[] = []
  for (const level of left) if (!(await isOpen(sql, level))) unknown.push(level)
  return unknown
}

function keyOf({ project, dataset, region, event }: EventLevel) {
  const { bucket, account } = event
  return { bucket, account, project: project ?? '', dataset: dataset ?? '', region: region ?? '' }
}

/** Has the series another level on no bill yet? Events of other series may have the same number: they count as one. */
async function isOpen(sql: Sql, { event, source, id }: EventLevel): Promise<boolean> {
  const { bucket, account, usage } = event
  const to = (next(hourOf(event.receivedAt)) + HOURS_AHEAD) as Hour
  const hours = await run(sql, listOpenHours, { bucket, account, from: 0 as Hour, to })
  const chunks = groupBy(hours, ({ hour }) => Math.floor(hour / (DAYS_AT_ONCE * HOURS_PER_DAY)))
  for (const chunk of chunks.values()) {
    const range = { from: chunk[0]!.hour, to: next(chunk.at(-1)!.hour) }
    const found = await run(sql, listSeriesEvents, { ...range, account, usage, limit: 2 })
    if (found.some((one) => one.id !== id || one.source !== source)) return true
  }
  return false
}
