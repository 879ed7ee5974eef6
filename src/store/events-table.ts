import { crc32 } from 'node:zlib'
import type pg from 'pg'
import { eventText } from '../core/bill/digest-text.ts'
import type { UsageEvent } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import { formatInstant, type Instant } from '../core/time/instant.ts'
import { type CopyFields, CopyRows } from './copy.ts'
import { GATE } from './gate.ts'
import type { Marks } from './queries/read-marks.ts'

const COLUMNS = 'at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data, attributes'
const COPY_EVENTS = `copy usage_event (${COLUMNS}) from stdin`
/** One message and one answer, where COPY takes two of each: cheaper for few rows (docs/performance.md). */
const INSERT_EVENTS = `
  insert into usage_event (${COLUMNS})
  select * from unnest($1::bigint[], $2::timestamptz[], $3::int[], $4::int[], $5::int[], $6::smallint[],
                       $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])`
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
 */
export async function copyEvents<Event extends StoredEvent>(
  client: pg.PoolClient,
  events: readonly Event[],
  cycleOf: (event: Event) => Hour,
): Promise<void> {
  const received = instantTexts()
  const rowOf = (event: Event) => eventRow(event, cycleOf(event), received(event.receivedAt))
  if (events.length <= FEW_EVENTS) return insertEvents(client, events.map(rowOf))
  const rows = new CopyRows()
  for (const event of events) rows.add(rowOf(event))
  await rows.copyInto(client, COPY_EVENTS)
}

const ADD_LIVE_EVENTS = `
  select add_live_events(${GATE}, $1, $2, $3, $4::bigint[], $5::timestamptz[], $6::int[], $7::smallint[],
                         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[]) as now`

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
  const received = instantTexts()
  const values = [
    priceVersion,
    accountsVersion,
    events[0]!.hour,
    events.map(({ at }) => at),
    events.map(({ receivedAt }) => received(receivedAt)),
    events.map(({ checksum }) => checksum),
    events.map(({ bucket }) => bucket),
    events.map(({ account }) => account),
    events.map(({ id }) => id),
    events.map(({ source }) => source),
    events.map(({ type }) => type),
    events.map(({ data }) => data),
    events.map(({ attributes }) => attributes),
  ]
  const { rows } = await pool.query<{ now: string | null }>({
    name: 'add_live_events',
    text: ADD_LIVE_EVENTS,
    values,
  })
  const now = rows[0]?.now ?? null
  return now === null ? undefined : (Number(now) as Instant)
}

/** Prepared once a session: its plan costs more than a few rows. */
async function insertEvents(client: pg.PoolClient, rows: readonly CopyFields[]): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const values = first.map((_, column) => rows.map((row) => row[column]))
  await client.query({ name: 'insert_events', text: INSERT_EVENTS, values })
}

/** CRC-32 of account and event text, as a signed integer: it names a damaged event, and proves nothing. */
export function checksumOf(event: Omit<UsageEvent, 'usage'>): number {
  return crc32(`${event.account}\0${eventText(event)}`) | 0
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
  return [at, received, hour, cycle, checksum, bucket, account, id, source, type, data, attributes]
}
