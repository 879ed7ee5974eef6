import { isRefused, parseDelivered } from '../../src/flows/ingest/parse.ts'
import { bookOf } from '../../src/flows/prices/read-price-version.ts'
import type { PriceBook } from '../../src/core/rate/price-book/price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { endOf, type Hour, formatHour } from '../../src/core/time/hour.ts'
import { insertEvents, type StoredEvent } from '../../src/store/events-table.ts'
import { insertEventTable } from '../../src/store/usage-events.ts'
import { run } from '../../src/store/query.ts'
import { transaction } from '../../src/store/transaction.ts'
import { generateHour } from '../generate/hour.ts'
import type { ScratchServer } from './scratch-server.ts'

export interface HourOfEvents {
  readonly hour: Hour
  readonly seed: number
  readonly events: number
  readonly accounts: number
}

const EVENTS_A_TRANSACTION = 20_000

/** Put a generated hour into the events' table as ingest would have, only faster: nothing is looked up. */
export async function loadHour({ pool }: ScratchServer, { hour, ...size }: HourOfEvents): Promise<void> {
  await run(pool, insertEventTable, { hour })
  const { book } = await bookOf(pool, null)
  let group: StoredEvent[] = []
  const store = () => transaction(pool, (client) => insertEvents(client, group, () => hour))
  for (const line of generateHour({ ...size, hour: hourName(hour) })) {
    group.push(storedEvent(book, hour, line))
    if (group.length < EVENTS_A_TRANSACTION) continue
    await store()
    group = []
  }
  await store()
}

/** `2025-07-28T03`, as the generator reads hours. */
export function hourName(hour: Hour): string {
  return formatHour(hour).slice(0, -1)
}

function storedEvent(book: PriceBook, hour: Hour, line: string): StoredEvent {
  const context = { receivedAt: endOf(hour), boundAccount: undefined, writer: '' }
  const read = parseDelivered(book, { raw: JSON.parse(line) as Json }, context)
  if (isRefused(read)) throw new Error(`a generated event is refused: ${read.detail}`)
  return read
}
