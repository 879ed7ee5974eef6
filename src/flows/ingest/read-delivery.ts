import { accept } from '../../core/ingest/accept.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { isObject } from '../../core/ingest/read-usage.ts'
import { isRejection, type Rejection } from '../../core/ingest/rejection.ts'
import { assess } from '../../core/rate/assess.ts'
import type { PriceBook } from '../../core/rate/price-book.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { RefusedEvent } from '../../store/queries/add-refused-events.ts'
import { type Candidate, CONFLICT_CODE, CONFLICT_DETAIL } from './commit-events.ts'
import type { Delivered } from './ingest-types.ts'

/** Kept of a refused event, in characters: enough to see what was wrong. */
export const REFUSED_BODY_CHARACTERS_MAX = 4_096
const REFUSED_FIELD_CHARACTERS_MAX = 256

/** Which events a key may send, when they came, and by which import. */
export interface DeliveryContext {
  readonly receivedAt: Instant
  readonly boundAccount: string | undefined
  readonly writer: string
}

/** Read one element of a delivery under a price book: a candidate, or the refusal that is kept of it. */
export function readDelivered(
  book: PriceBook,
  delivered: Delivered,
  { receivedAt, boundAccount, writer }: DeliveryContext,
): Candidate | RefusedEvent {
  if ('unreadable' in delivered) return refusedText(delivered.unreadable, delivered.text)
  const event = accept(delivered.raw, { receivedAt, boundAccount, eventTypes: book.eventTypes })
  if (isRejection(event)) return refused(event, delivered.raw)
  const assessment = assess(book, event)
  if (assessment.outcome === 'rejected') return refused(assessment.rejection, delivered.raw)
  return { ...event, bucket: bucketOf(event.account), receivedAt, writer, assessment }
}

export function isRefused(read: Candidate | RefusedEvent): read is RefusedEvent {
  return 'outcome' in read
}

/** What is kept of an event whose identity is taken by another content. */
export function refusedConflict(event: Candidate): RefusedEvent {
  const { account, source, id, type, at, data } = event
  const body = storable(
    JSON.stringify({ type, time: new Date(at).toISOString(), data: JSON.parse(data) as Json }),
  )
  return { outcome: 'conflict', account, source, id, code: CONFLICT_CODE, detail: CONFLICT_DETAIL, body }
}

function refused({ code, detail }: Rejection, raw: Json): RefusedEvent {
  const fields = isObject(raw) ? raw : {}
  return {
    outcome: 'rejected',
    account: field(fields['subject']),
    source: field(fields['source']),
    id: field(fields['id']),
    code,
    detail: storable(detail),
    body: storable(JSON.stringify(raw)),
  }
}

function refusedText({ code, detail }: Rejection, text: string): RefusedEvent {
  const body = storable(text)
  return { outcome: 'rejected', account: null, source: null, id: null, code, detail: storable(detail), body }
}

function field(value: Json | undefined): string | null {
  return typeof value === 'string'
    ? storable(value).slice(0, REFUSED_FIELD_CHARACTERS_MAX).toWellFormed()
    : null
}

/** Cut to what is kept, with U+0000 and unpaired surrogates shown as U+FFFD: PostgreSQL can store it. */
function storable(text: string): string {
  return text.slice(0, REFUSED_BODY_CHARACTERS_MAX).replaceAll('\u0000', '\ufffd').toWellFormed()
}
