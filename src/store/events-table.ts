import { crc32 } from 'node:zlib'
import type pg from 'pg'
import { eventText } from '../core/bill/digest-text.ts'
import { seriesName } from '../core/meter/level.ts'
import type { UsageEvent } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import { formatInstant, type Instant } from '../core/time/instant.ts'
import { instantArray, integerArray, textArray } from './binary-arrays.ts'
import { type CopyFields, CopyRows } from './copy.ts'
import { GATE } from './gate.ts'
import { keyColumns } from './key-columns.ts'
import type { Marks } from './deployment.ts'

const COLUMNS =
  'at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data, attributes, series'
const COPY_EVENTS = `copy usage_event (${COLUMNS}) from stdin`
/** One message and one answer, where COPY takes two of each: cheaper for few rows (docs/performance.md). */
const INSERT_EVENTS = `
  insert into usage_event
    (hour, cycle, at, received_at, checksum, bucket, account, id, source, type, data, attributes, series)
  select * from unnest($1::int[], $2::int[], $3::bigint[], $4::timestamptz[], $5::int[], $6::smallint[],
                       $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[])`
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
 * Store events whose keys are free; a key taken meanwhile fails the whole transaction (23505).
 * @param events in key order: two transactions that insert in different orders would deadlock
 * @param cycleOf the hour in whose bill an event counts
 * @param turn what is waited for before the next of many events, for others to have the thread meanwhile
 */
export async function copyEvents<Event extends StoredEvent>(
  client: pg.PoolClient,
  events: readonly Event[],
  cycleOf: (event: Event) => Hour,
  turn: () => Promise<void> | undefined = () => undefined,
): Promise<void> {
  if (events.length <= FEW_EVENTS) return insertEvents(client, events, cycleOf)
  const received = instantTexts()
  const rows = new CopyRows()
  for (const event of events) {
    const others = turn()
    if (others) await others
    rows.add(eventRow(event, cycleOf(event), received(event.receivedAt)))
  }
  await rows.copyInto(client, COPY_EVENTS)
}

const ADD_LIVE_EVENTS = `
  select add_live_events(${GATE}, $1, $2, $3, $4::bigint[], $5::timestamptz[], $6::int[], $7::smallint[],
                         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
                         $14::int[]) as now`

/** Where the caller thinks the deployment is. */
export type ExpectedMarks = Pick<Marks, 'priceVersion' | 'accountsVersion'>

/**
 * Store few events in one statement, which is its own transaction: if the deployment is where it is expected, their hours
 * are open, and their keys are free. Otherwise nothing is stored.
 * @param events in key order, at least one and at most FEW_EVENTS
 * @returns the database's clock; undefined: the deployment has moved on, or an hour is sealed
 * @throws 23505 when a key is taken, 55P03 when the gate stays held
 */
export async function addLiveEvents(
  pool: pg.Pool,
  events: readonly StoredEvent[],
  { priceVersion, accountsVersion }: ExpectedMarks,
): Promise<Instant | undefined> {
  const values = [priceVersion, accountsVersion, events[0]!.hour, ...columnsOf(events).others]
  const { rows } = await pool.query<{ now: string | null }>({
    name: 'add_live_events',
    text: ADD_LIVE_EVENTS,
    values,
  })
  const now = rows[0]?.now ?? null
  return now === null ? undefined : (Number(now) as Instant)
}

/** Prepared once a session: its plan costs more than a few rows. */
async function insertEvents<Event extends StoredEvent>(
  client: pg.PoolClient,
  events: readonly Event[],
  cycleOf: (event: Event) => Hour,
): Promise<void> {
  if (events.length === 0) return
  const { hours, others } = columnsOf(events)
  const values = [hours, integerArray('int', events.map(cycleOf)), ...others]
  await client.query({ name: 'insert_events', text: INSERT_EVENTS, values })
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

/** CRC-32 of account and event text, as a signed integer: it names a damaged event, and proves nothing. */
export function checksumOf(event: Omit<UsageEvent, 'usage'>): number {
  return crc32(`${event.account}\0${eventText(event)}`) | 0
}

/** CRC-32 of a level's series, as a signed integer: levels of one series have one. Null: the event is no level. */
export function seriesNumber({ usage }: Pick<UsageEvent, 'usage'>): number | null {
  return usage?.component === 'storage' ? crc32(seriesName(usage)) | 0 : null
}

/** Instants as texts. Those of one delivery are the same. */
function instantTexts(): (at: Instant) => string {
  const texts = new Map<Instant, string>()
  return (at) => {
    let text = texts.get(at)
    if (text === undefined) texts.set(at, (text = formatInstant(at)))
    return text
  }
}

function eventRow(event: StoredEvent, cycle: Hour, received: string): CopyFields {
  const { at, hour, checksum, bucket, account, id, source, type, data, attributes } = event
  return [
    at,
    received,
    hour,
    cycle,
    checksum,
    bucket,
    account,
    id,
    source,
    type,
    data,
    attributes,
    seriesNumber(event),
  ]
}
