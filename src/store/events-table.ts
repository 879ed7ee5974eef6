import { crc32 } from 'node:zlib'
import type pg from 'pg'
import { eventText } from '../core/bill/digest-text.ts'
import type { UsageEvent } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import { formatInstant, type Instant } from '../core/time/instant.ts'
import { type CopyFields, CopyRows } from './copy.ts'

const COPY_EVENTS = `
  copy usage_event (at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data, attributes)
  from stdin`

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
  const rows = new CopyRows()
  for (const event of events) rows.add(eventRow(event, cycleOf(event)))
  await rows.copyInto(client, COPY_EVENTS)
}

/** CRC-32 of account and event text, as a signed integer: it names a damaged event, and proves nothing. */
export function checksumOf(event: Omit<UsageEvent, 'usage'>): number {
  return crc32(`${event.account}\0${eventText(event)}`) | 0
}

function eventRow(event: StoredEvent, cycle: Hour): CopyFields {
  const { at, receivedAt, hour, checksum, bucket, account, id, source, type, data, attributes } = event
  const received = formatInstant(receivedAt)
  return [at, received, hour, cycle, checksum, bucket, account, id, source, type, data, attributes]
}
