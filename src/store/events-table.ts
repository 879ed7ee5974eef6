import { crc32 } from 'node:zlib'
import type pg from 'pg'
import { eventText } from '../core/bill/digest-text.ts'
import { seriesName } from '../core/meter/level.ts'
import type { UsageEvent } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'
import { instantArray, integerArray, textArray } from './binary-arrays.ts'
import { GATE } from './gate.ts'
import { keyColumns } from './key-columns.ts'
import type { Watermarks } from './deployment.ts'
import { ownWriter } from './writer.ts'

const INSERT_EVENTS = `
  select insert_events($1::int[], $2::int[], $3::bigint[], $4::timestamptz[], $5::int[], $6::smallint[],
                       $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[]) as present`
/** Events that are few. */
export const FEW_EVENTS = 500

/** An event that is stored. */
export interface StoredEvent extends UsageEvent {
  readonly bucket: number
  readonly receivedAt: Instant
  /** `checksumOf` it. */
  readonly checksum: number
}

/**
 * Store events whose keys are free. Waits for open transactions that insert the same keys. Prepared once a session: its
 * plan costs more than a few rows.
 * @param events in key order, each key once: two transactions that insert in different orders would deadlock
 * @param cycleOf the hour in whose bill an event counts
 * @returns the indexes of the events whose keys are taken: they are not stored. A later statement finds what is
 */
export async function insertEvents<Event extends StoredEvent>(
  client: pg.PoolClient,
  events: readonly Event[],
  cycleOf: (event: Event) => Hour,
): Promise<readonly number[]> {
  if (events.length === 0) return []
  const { hours, others } = columnsOf(events)
  const values = [hours, integerArray('int', events.map(cycleOf)), ...others]
  const { rows } = await client.query<Present>({ name: 'insert_events', text: INSERT_EVENTS, values })
  return indexesOf(rows[0]!)
}

interface Present {
  readonly present: readonly number[] | null
}

function indexesOf({ present }: Present): readonly number[] {
  return (present ?? []).map((position) => position - 1)
}

const INSERT_LIVE_EVENTS = `
  select now, present
    from insert_live_events(${GATE}, $1, $2, $3, $4, $5::int[], $6::bigint[], $7::timestamptz[], $8::int[], $9::smallint[],
                            $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                            $16::int[])`

/** Where the caller thinks the deployment is. */
export type ExpectedWatermarks = Pick<Watermarks, 'priceVersion' | 'accountsVersion'>

export interface LiveInserted {
  /** The database's clock. */
  readonly now: Instant
  /** The indexes of the events whose keys are taken: they are not stored, all others are. */
  readonly present: readonly number[]
}

/**
 * Store few events in one statement, which is its own transaction: if the deployment is where it is expected, and their
 * hours are open.
 * @param events in key order, each key once, at least one and at most FEW_EVENTS
 * @returns undefined: the deployment has moved on, or an hour is sealed; nothing is stored
 * @throws 55P03 when the gate stays held, or the insert waits too long for another transaction
 */
export async function insertLiveEvents(
  pool: pg.Pool,
  events: readonly StoredEvent[],
  { priceVersion, accountsVersion }: ExpectedWatermarks,
): Promise<LiveInserted | undefined> {
  const { hours, others } = columnsOf(events)
  const values = [ownWriter(), priceVersion, accountsVersion, events[0]!.hour, hours, ...others]
  const { rows } = await pool.query<Present & { now: string }>({
    name: 'insert_live_events',
    text: INSERT_LIVE_EVENTS,
    values,
  })
  const row = rows[0]
  return row && { now: Number(row.now) as Instant, present: indexesOf(row) }
}

/** Arrays of all events: their hours; and instants, receptions, checksums, the rest of the key, types, data, attributes, series. */
function columnsOf(events: readonly StoredEvent[]): { readonly hours: Buffer; readonly others: Buffer[] } {
  const [hours, ...restOfKey] = keyColumns(events)
  const integers = (type: 'int' | 'bigint', of: (event: StoredEvent) => number | null) =>
    integerArray(type, events.map(of))
  const texts = (of: (event: StoredEvent) => string | null) => textArray(events.map(of))
  const others = [
    integers('bigint', ({ at }) => at),
    instantArray(events.map(({ receivedAt }) => receivedAt)),
    integers('int', ({ checksum }) => checksum),
    ...restOfKey,
    texts(({ type }) => type),
    texts(({ data }) => data),
    texts(({ attributes }) => attributes),
    integers('int', seriesNumber),
  ]
  return { hours, others }
}

/** CRC-32 of a level's series, as a signed integer: levels of one series have one. Null: the event is no level. */
export function seriesNumber({ usage }: Pick<UsageEvent, 'usage'>): number | null {
  return usage?.component === 'storage' ? crc32(seriesName(usage)) | 0 : null
}

/** CRC-32 of account and event text, as a signed integer: it names a damaged event, and proves nothing. */
export function checksumOf(event: Omit<UsageEvent, 'usage'>): number {
  return crc32(`${event.account}\0${eventText(event)}`) | 0
}
