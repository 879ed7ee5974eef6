import { createHash } from 'node:crypto'
import { accept } from '../../src/core/ingest/accept.ts'
import type { UsageEvent } from '../../src/core/ingest/event.ts'
import { isRejection } from '../../src/core/ingest/rejection.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { BOOK } from './oracle-book.ts'

export const RECEIVED_AT = Date.parse('2026-01-01T00:00:00Z') as Instant
export const ACCEPTANCE = { receivedAt: RECEIVED_AT, eventTypes: BOOK.eventTypes }

type Attributes = { readonly [name: string]: Json | undefined }

/** A valid CloudEvent, with what the test is about put in. `undefined` leaves an attribute out. */
export function cloudEvent(attributes: Attributes = {}, data: Attributes = {}): { [name: string]: Json } {
  const request = { operation: 'SimpleQuery', status: 200 }
  return defined({
    specversion: '1.0',
    id: 'e-1',
    source: '/api',
    type: 'farthing.request',
    subject: 'acme',
    time: '2025-07-28T02:30:00Z',
    data: defined({ ...(attributes['type'] === undefined ? request : {}), ...data }),
    ...attributes,
  })
}

function defined(members: Attributes): { [name: string]: Json } {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  )
}

/** The event that `accept` makes of it. */
export function usageEvent(attributes: Attributes = {}, data: Attributes = {}): UsageEvent {
  return acceptedOf(cloudEvent(attributes, data))
}

export function acceptedOf(raw: Json): UsageEvent {
  const event = accept(raw, ACCEPTANCE)
  if (isRejection(event)) throw new Error(`${event.code}: ${event.detail}`)
  return event
}

/** SHA-256 of a text's UTF-8 bytes in hexadecimal: what flows pass to the core. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
