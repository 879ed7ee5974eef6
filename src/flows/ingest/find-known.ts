import { groupBy } from '../../core/group-by.ts'
import type { Hour } from '../../core/time/hour.ts'
import { type EventKey, findEvents, type FoundEvent } from '../../store/usage-events.ts'
import { run, type Sql } from '../../store/query.ts'

const HOURS_PER_DAY = 24

/** What tells a repeat from a conflict. */
export type Content = Pick<FoundEvent, 'type' | 'at' | 'data'>

/** What the database holds under the keys of these events: one probe for each UTC day. */
export async function findKnown<Key extends EventKey>(
  sql: Sql,
  events: readonly Key[],
): Promise<ReadonlyMap<Key, Content>> {
  const known = new Map<Key, Content>()
  if (events.length === 0) return known
  for (const [day, keys] of groupBy(events, ({ hour }) => Math.floor(hour / HOURS_PER_DAY))) {
    const range = { from: (day * HOURS_PER_DAY) as Hour, to: ((day + 1) * HOURS_PER_DAY) as Hour }
    for (const found of await run(sql, findEvents, { ...range, keys })) known.set(keys[found.index]!, found)
  }
  return known
}
