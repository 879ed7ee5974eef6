import { groupBy } from '../../core/group-by.ts'
import { isReservedSource } from '../../core/ingest/ended-level.ts'
import { reread } from '../../core/ingest/reread.ts'
import { compareLevels, isSameSeries, type Level, seriesName } from '../../core/meter/level.ts'
import { compare } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { listLevelRivals, type LevelRival } from '../../store/level-rivals.ts'
import { run, type Sql } from '../../store/query.ts'
import type { Candidate } from './parse.ts'
import { type EventLevel, seriesUnknown } from './series-unknown.ts'

const HOURS_PER_DAY = 24
/** Characters of an id or source in a remark. */
const NAME_SHOWN = 60

export type LevelRemarkCode = 'event/level_not_in_force' | 'event/level_replaces' | 'event/level_ends_nothing'

/** What the sender of an accepted level should know. */
export interface LevelRemark {
  readonly code: LevelRemarkCode
  readonly detail: string
}

/**
 * Remarks on accepted levels: of two levels of one series and instant, one is never in force; and the first level of a
 * series, if it is 0, ends nothing. Asked after the commit, so of two that are stored at once the later answer knows both.
 * @param accepted new events, of whatever kind: stored just now, or about to be
 */
export async function remarkLevels(
  sql: Sql,
  book: PriceBook,
  accepted: readonly Candidate[],
): Promise<ReadonlyMap<Candidate, LevelRemark>> {
  const levels = accepted.flatMap(levelOf)
  const remarks = new Map<Candidate, LevelRemark>()
  if (levels.length === 0) return remarks
  const fresh = groupBy(levels, placeName)
  const stored = await storedRivals(sql, book, levels)
  for (const level of levels) {
    const others = (stored.get(level) ?? []).filter((one) => !isOneOf(fresh, one, level))
    const remark = remarkOn(level, [...fresh.get(placeName(level))!, ...others], others)
    if (remark) remarks.set(level.event, remark)
  }
  for (const { event } of await seriesUnknown(sql, levels)) {
    if (!remarks.has(event)) remarks.set(event, ENDS_NOTHING)
  }
  return remarks
}

function levelOf(event: Candidate): readonly EventLevel[] {
  const { usage, at, source, id } = event
  if (usage?.component !== 'storage') return []
  const { project, dataset, region, bytes } = usage
  return [{ project, dataset, region, bytes, at, source, id, event }]
}

/** Where at most one level is in force. */
function placeName(level: EventLevel): string {
  return `${level.event.account}\0${seriesName(level)}\0${level.at}`
}

function isOneOf(
  fresh: ReadonlyMap<string, readonly EventLevel[]>,
  { source, id }: Level,
  place: EventLevel,
): boolean {
  return fresh.get(placeName(place))!.some((one) => one.source === source && one.id === id)
}

/** The stored levels of the same series and instant, of each level: one look-up for each UTC day. */
async function storedRivals(
  sql: Sql,
  book: PriceBook,
  levels: readonly EventLevel[],
): Promise<ReadonlyMap<EventLevel, readonly Level[]>> {
  const rivals = new Map<EventLevel, Level[]>()
  const places = [...groupBy(levels, placeName).values()]
  for (const [day, group] of groupBy(places, ([first]) => Math.floor(first!.event.hour / HOURS_PER_DAY))) {
    const range = { from: (day * HOURS_PER_DAY) as Hour, to: ((day + 1) * HOURS_PER_DAY) as Hour }
    const keys = group.map(([first]) => first!.event)
    for (const rival of await run(sql, listLevelRivals, { ...range, keys })) {
      const place = group[rival.index]!
      const level = levelOfRival(book, rival, place[0]!)
      if (level === undefined) continue
      for (const one of place) rivals.set(one, [...(rivals.get(one) ?? []), level])
    }
  }
  return rivals
}

/** Undefined: it is no level, or one of another series. */
export function levelOfRival(
  book: PriceBook,
  rival: Omit<LevelRival, 'index'>,
  of: Level,
): Level | undefined {
  const { id, source, type, data } = rival
  const usage = reread(book.eventTypes, type, data)
  if (usage?.component !== 'storage') return undefined
  const { project, dataset, region, bytes } = usage
  const level = { project, dataset, region, bytes, at: of.at, source, id }
  return isSameSeries(level, of) ? level : undefined
}

/** @param before those that were there already */
function remarkOn(
  level: EventLevel,
  all: readonly Level[],
  before: readonly Level[],
): LevelRemark | undefined {
  const inForce = greatestOf(all)
  if (compareLevels(inForce, level) !== 0)
    return isSameAmount(inForce, level) ? undefined : notInForce(inForce)
  if (before.length === 0) return undefined
  const replaced = greatestOf(before)
  return isSameAmount(replaced, level) ? undefined : replaces(replaced)
}

function greatestOf(levels: readonly Level[]): Level {
  return levels.reduce((a, b) => (compareLevels(a, b) < 0 ? b : a))
}

function isSameAmount(a: Level, b: Level): boolean {
  return compare(a.bytes, b.bytes) === 0
}

function notInForce({ source, id }: Level): LevelRemark {
  const rule =
    'of the levels of one series at one instant the one with the greatest source and id is in force'
  const which = isReservedSource(source)
    ? 'the end that was added when the account was closed. Send the level at a later time'
    : `that of ${named({ source, id })}. Send a correction at a later time, or take the other one back`
  return {
    code: 'event/level_not_in_force',
    detail: `Accepted, and without effect: ${rule}, here ${which}.`,
  }
}

function replaces(level: Level): LevelRemark {
  const which = `It is in force in place of ${named(level)}, which was accepted before with other bytes`
  const advice = 'Take this one back if that is not meant'
  return { code: 'event/level_replaces', detail: `Accepted. ${which} for the same instant. ${advice}.` }
}

const ENDS_NOTHING: LevelRemark = {
  code: 'event/level_ends_nothing',
  detail:
    'Accepted. It is the first level of its project, dataset and region, so its 0 bytes end nothing: check these names if it was meant to end stored data.',
}

function named({ source, id }: Pick<Level, 'source' | 'id'>): string {
  return `event ${short(id)} of source ${short(source)}`
}

function short(text: string): string {
  return JSON.stringify(text.length > NAME_SHOWN ? `${text.slice(0, NAME_SHOWN)}…` : text).toWellFormed()
}
