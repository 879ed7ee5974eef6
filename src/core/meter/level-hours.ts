import { type Decimal, decimal, isZero, minus, plus, times, ZERO } from '../money/decimal.ts'
import { endOf, type Hour, hourOf, MILLISECONDS_PER_HOUR } from '../time/hour.ts'
import { isSameSeries, type Level, placeName, type StoredQuantity } from './level.ts'

const WHOLE_HOUR = decimal(String(MILLISECONDS_PER_HOUR))

export interface StoredHour extends StoredQuantity {
  readonly hour: Hour
}

/** By how much a level changes what is stored in its place. */
interface Change {
  readonly level: Level
  readonly bytes: Decimal
}

/** What is stored in a place when an hour begins. */
interface Stored extends StoredQuantity {
  readonly bytes: Decimal
}

/**
 * What was stored in each hour from one to another, both included: for each what `integrate` says of it. The work is that
 * of the levels, and of the hours by their places. It does not grow with hours times series, so a level that is late by a
 * year costs an account of many series little more than one of yesterday.
 *
 * @param levels in the order of `compareLevels`. For each series: every level within the hours, and the one in force at
 *   their first instant. Earlier ones do no harm.
 */
export function* integrateHours(levels: readonly Level[], from: Hour, to: Hour): Generator<StoredHour> {
  const stored = new Map<string, Stored>()
  const changes = new Map<Hour, Change[]>()
  for (const [index, level] of levels.entries()) {
    const before = levels[index - 1]
    const bytes = before && isSameSeries(before, level) ? minus(level.bytes, before.bytes) : level.bytes
    const hour = hourOf(level.at)
    if (isZero(bytes) || hour > to) continue
    if (hour < from) addBytes(stored, { level, bytes })
    else if (changes.has(hour)) changes.get(hour)!.push({ level, bytes })
    else changes.set(hour, [{ level, bytes }])
  }
  for (let hour = from; hour <= to; hour = (hour + 1) as Hour) {
    const changed = changes.get(hour) ?? []
    const parts = partsOf(changed, hour)
    for (const [name, { project, region, quantity }] of stored) {
      const part = parts.get(name)
      parts.delete(name)
      const all = part === undefined ? quantity : plus(quantity, part.quantity)
      if (!isZero(all)) yield { hour, project, region, quantity: all }
    }
    for (const part of parts.values()) if (!isZero(part.quantity)) yield { hour, ...part }
    for (const change of changed) addBytes(stored, change)
  }
}

/** What the changes of an hour add to what was stored when it began, or take off, until its end: by place. */
function partsOf(changes: readonly Change[], hour: Hour): Map<string, StoredQuantity> {
  const parts = new Map<string, StoredQuantity>()
  for (const { level, bytes } of changes) {
    const { project, region, at } = level
    const name = placeName(level)
    const quantity = times(bytes, decimal(String(endOf(hour) - at)))
    parts.set(name, { project, region, quantity: plus(parts.get(name)?.quantity ?? ZERO, quantity) })
  }
  return parts
}

function addBytes(stored: Map<string, Stored>, { level, bytes: more }: Change): void {
  const { project, region } = level
  const name = placeName(level)
  const bytes = plus(stored.get(name)?.bytes ?? ZERO, more)
  if (isZero(bytes)) stored.delete(name)
  else stored.set(name, { project, region, bytes, quantity: times(bytes, WHOLE_HOUR) })
}
