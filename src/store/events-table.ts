import { crc32 } from 'node:zlib'
import type pg from 'pg'
import { eventText } from '../core/bill/digest-text.ts'
import type { UsageEvent } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import { formatInstant, type Instant } from '../core/time/instant.ts'
import { type CopyFields, CopyRows } from './copy.ts'

const COLUMNS = 'at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data, attributes'
const COPY_EVENTS = `copy usage_event (${COLUMNS}) from stdin`
/** One message and one answer, where COPY takes two of each: cheaper for few rows (docs/performance.md). */
const INSERT_EVENTS = `
  insert into usage_event (${COLUMNS})
  select * from unnest($1::bigint[], $2::timestamptz[], $3::int[], $4::int[], $5::int[], $6::smallint[],
                       $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])`
const INSERT_EVENTS_MOST = 500

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
  if (events.length <= INSERT_EVENTS_MOST) return insertEvents(client, events.map(rowOf))
  const rows = new CopyRows()
  for (const event of events) rows.add(rowOf(event))
  await rows.copyInto(client, COPY_EVENTS)
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
