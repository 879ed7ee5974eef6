import { type Decimal, decimal, isZero, plus, times, ZERO } from '../money/decimal.ts'
import { compareBytes, compareNullable } from '../text/well-formed.ts'
import { endOf, type Hour, startOf } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'

/** A level of one series: `bytes` are stored from `at` on, until the next level of the series (R9). */
export interface Level {
  readonly project: string | null
  readonly dataset: string | null
  readonly region: string | null
  readonly at: Instant
  readonly source: string
  readonly id: string
  readonly bytes: Decimal
}

/** Byte-milliseconds of one hour in one place, over all datasets of a project. */
export interface StoredQuantity {
  readonly project: string | null
  readonly region: string | null
  readonly quantity: Decimal
}

/**
 * The order in which levels take effect: by series, then (time, source, id). The last one at or before an
 * instant is in force there, so arrival order never matters, and of two at one instant one always wins.
 */
export function compareLevels(a: Level, b: Level): number {
  return (
    compareNullable(a.project, b.project) ||
    compareNullable(a.dataset, b.dataset) ||
    compareNullable(a.region, b.region) ||
    a.at - b.at ||
    compareBytes(a.source, b.source) ||
    compareBytes(a.id, b.id)
  )
}

/** One series is one project, dataset and region of an account: its levels replace each other. */
export function isSameSeries(a: Level, b: Level): boolean {
  return a.project === b.project && a.dataset === b.dataset && a.region === b.region
}

/** The series of an account by name. U+0000 cannot occur in any part. Absent and "" are the same. */
export function seriesName({
  project,
  dataset,
  region,
}: Pick<Level, 'project' | 'dataset' | 'region'>): string {
  return `${project ?? ''}\0${dataset ?? ''}\0${region ?? ''}`
}

/** The levels that are none of those taken away, in their order. */
export function withoutLevels<Some extends Level>(
  levels: readonly Some[],
  taken: readonly Level[],
): readonly Some[] {
  if (taken.length === 0) return levels
  const names = new Set(taken.map(levelName))
  return levels.filter((level) => !names.has(levelName(level)))
}

/** U+0000 cannot occur in any part, so different levels have different names. Absent and "" are the same. */
export function levelName(level: Level): string {
  return `${seriesName(level)}\0${level.at}\0${level.source}\0${level.id}`
}

/** Project and region: what is stored under them is on one line. U+0000 cannot occur in any part. Absent and "" are the same. */
export function placeName({ project, region }: Pick<Level, 'project' | 'region'>): string {
  return `${project ?? ''}\0${region ?? ''}`
}

/**
 * What was stored during an hour, exactly: the sum of bytes x milliseconds, by project and region.
 *
 * @param levels in the order of `compareLevels`. For each series: every level within the hour, and the one
 *   in force at its first instant (R10: a level carries over without a new event). Earlier ones do no harm.
 * @returns only places with a quantity above 0, in the order of project and region
 */
export function integrate(levels: readonly Level[], hour: Hour): readonly StoredQuantity[] {
  const stored = new Map<string, StoredQuantity>()
  for (const [index, level] of levels.entries()) {
    const following = levels[index + 1]
    const ends = following && isSameSeries(level, following) ? following.at : endOf(hour)
    const quantity = during(level, ends, hour)
    if (isZero(quantity)) continue
    const { project, region } = level
    const key = placeName(level)
    const before = stored.get(key)?.quantity ?? ZERO
    stored.set(key, { project, region, quantity: plus(before, quantity) })
  }
  return [...stored.values()].sort(
    (a, b) => compareNullable(a.project, b.project) || compareNullable(a.region, b.region),
  )
}

/** Byte-milliseconds of the part of [level.at, ends) that lies in the hour. */
function during(level: Level, ends: Instant, hour: Hour): Decimal {
  const from = Math.max(level.at, startOf(hour))
  const to = Math.min(ends, endOf(hour))
  return to > from ? times(level.bytes, decimal(String(to - from))) : ZERO
}

/** The levels in force at the end of the hour, one a series, those of 0 bytes left out: what carries over. */
export function carriedOver(levels: readonly Level[], hour: Hour): readonly Level[] {
  const known = levels.filter((level) => level.at < endOf(hour))
  return known.filter((level, index) => {
    const following = known[index + 1]
    return !(following && isSameSeries(level, following)) && !isZero(level.bytes)
  })
}
