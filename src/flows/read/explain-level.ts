import type { Identity, UsageEvent } from '../../core/ingest/event.ts'
import { compareLevels, type Level } from '../../core/meter/level.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { next } from '../../core/time/hour.ts'
import { listLevelRivals } from '../../store/level-rivals.ts'
import { run, type Sql } from '../../store/query.ts'
import { levelOfRival } from '../ingest/level-remarks.ts'

/** The event whose level is in force in place of this one's, at the same instant; null: it is no level, or is in force. */
export async function levelInstead(
  sql: Sql,
  book: PriceBook,
  event: UsageEvent,
): Promise<Pick<Identity, 'source' | 'id'> | null> {
  const { usage, at, source, id, hour } = event
  if (usage?.component !== 'storage') return null
  const { project, dataset, region, bytes } = usage
  let greatest: Level = { project, dataset, region, bytes, at, source, id }
  for (const rival of await run(sql, listLevelRivals, { from: hour, to: next(hour), keys: [event] })) {
    const level = levelOfRival(book, rival, greatest)
    if (level && compareLevels(greatest, level) < 0) greatest = level
  }
  return greatest.source === source && greatest.id === id
    ? null
    : { source: greatest.source, id: greatest.id }
}
