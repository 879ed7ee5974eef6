import { type KeyedEvent, listKeyedEvents } from '../../store/usage-events.ts'
import type { EventKey } from '../../store/key-columns.ts'
import type { ListAdjustments } from '../../store/releases.ts'
import { type Query, run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { byMonth } from '../shared/by-month.ts'

/** Acts read at once, each with its event. */
const PAGE_ACTS = 2_000

/** The event of a release or a void. */
export type ActedEvent = KeyedEvent

/** Releases or voids of one account in one cycle, in key order, each with its event; undefined: it is not there. */
export async function* adjustmentsOf<Raw, Act extends EventKey>(
  sql: Sql,
  query: Query<ListAdjustments, Raw, Act>,
  where: Pick<ListAdjustments, 'cycle' | 'bucket' | 'account'>,
): AsyncGenerator<{ readonly act: Act; readonly event: ActedEvent | undefined }> {
  let after: Act | undefined
  for (;;) {
    const acts = await run(sql, query, { ...where, after, limit: PAGE_ACTS })
    const events = await eventsAt(sql, acts)
    for (const [index, act] of acts.entries()) yield { act, event: events.get(index) }
    if (acts.length < PAGE_ACTS) return
    after = acts.at(-1)
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
