import { type KeyedEvent, listKeyedEvents } from '../../store/usage-events.ts'
import type { EventKey } from '../../store/key-columns.ts'
import type { ListAdjustments } from '../../store/releases.ts'
import { type Query, run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { byMonth } from '../shared/by-month.ts'

/** Adjustments read at once, each with its event. */
const PAGE_ADJUSTMENTS = 2_000

/** The event of a release or a void. */
export type AdjustedEvent = KeyedEvent

/** Releases or voids of one account in one cycle, in key order, each with its event; undefined: it is not there. */
export async function* adjustmentsOf<Raw, Adjustment extends EventKey>(
  sql: Sql,
  query: Query<ListAdjustments, Raw, Adjustment>,
  where: Pick<ListAdjustments, 'cycle' | 'bucket' | 'account'>,
): AsyncGenerator<{ readonly adjustment: Adjustment; readonly event: AdjustedEvent | undefined }> {
  let after: Adjustment | undefined
  for (;;) {
    const adjustments = await run(sql, query, { ...where, after, limit: PAGE_ADJUSTMENTS })
    const events = await eventsAt(sql, adjustments)
    for (const [index, adjustment] of adjustments.entries()) yield { adjustment, event: events.get(index) }
    if (adjustments.length < PAGE_ADJUSTMENTS) return
    after = adjustments.at(-1)
  }
}

/** The events of these keys, by the index of their key: one statement for each calendar month. */
export async function eventsAt(
  sql: Sql,
  keys: readonly EventKey[],
): Promise<ReadonlyMap<number, KeyedEvent>> {
  const found = new Map<number, KeyedEvent>()
  for (const { items, ...range } of byMonth([...keys.entries()], ([, { hour }]) => hour)) {
    const asked = { ...range, keys: items.map(([, key]) => key) }
    const events = await releasingLocks(sql, () => run(sql, listKeyedEvents, asked))
    for (const event of events) found.set(items[event.index]![0], event)
  }
  return found
}
