import { createHash } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { isObject } from '../../core/ingest/read-usage.ts'
import { canonicalJson, type Json } from '../../core/text/canonical-json.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import type { Delivered, EventResult } from '../../flows/ingest/ingest-types.ts'
import { HTTP_PROBLEMS, type HttpProblem } from '../api/problem.ts'
import { unreadable } from '../body/deliver-element.ts'
import { inWordsOf, LAGO_WORDS } from './client-words.ts'
import { compatEvent } from './compat-event.ts'
import { timeOfSeconds } from './seconds.ts'

/** The protocol has no source: its transaction ids are unique in themselves. */
export const LAGO_SOURCE = 'lago'

type Fields = { readonly [name: string]: Json }

/** An event of Lago's form: `transaction_id`, `external_subscription_id`, `code`, `timestamp` and `properties`. */
export function readLagoEvent(event: Json | undefined): Delivered {
  if (!isObject(event)) {
    return unreadable(
      'event/not_an_object',
      'event is not an object: send {"event": {"transaction_id": …}}.',
      '',
    )
  }
  const { transaction_id: id, external_subscription_id: subject, code: type, timestamp, properties } = event
  const isTimed = timestamp !== undefined && timestamp !== null
  const time = isTimed ? timeOfSeconds(timestamp) : null
  if (time === undefined) {
    const detail = 'timestamp is not seconds since 1970: send such as 1753671600, or "1753671600.250".'
    return unreadable('event/invalid_time', detail, JSON.stringify(event))
  }
  const cents = event['precise_total_amount_cents']
  return compatEvent({
    specversion: '1.0',
    source: LAGO_SOURCE,
    ...present({ id, subject, type, time }),
    data: properties ?? {},
    ...(cents === undefined || cents === null
      ? {}
      : { precisetotalamountcents: typeof cents === 'string' ? cents : JSON.stringify(cents) }),
  })
}

function present(fields: { readonly [name: string]: Json | undefined }): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  )
}

/** The event as Lago shows it. Its id follows from its identity, so a repeat has the same. */
export function lagoView(event: Json | undefined, now: Instant) {
  const { transaction_id, external_subscription_id, code, timestamp, properties } = event as Fields
  const digest = createHash('sha256')
    .update(canonicalJson([external_subscription_id ?? null, LAGO_SOURCE, transaction_id ?? null]))
    .digest('hex')
  const id = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`]
  return {
    lago_id: [...id, digest.slice(20, 32)].join('-'),
    transaction_id,
    lago_customer_id: null,
    lago_subscription_id: null,
    external_subscription_id,
    code,
    timestamp: timeOfSeconds(timestamp ?? null) ?? formatInstant(now),
    properties: properties ?? {},
    created_at: formatInstant(now),
  }
}

/** What is wrong with an event, by field, in Lago's words where it has some. */
export function lagoDetails(result: EventResult): Readonly<Record<string, readonly string[]>> {
  const { outcome, code, detail } = inWordsOf(LAGO_WORDS, result)
  if (outcome === 'conflict') return { transaction_id: ['value_already_exist'] }
  return { event: [code ?? 'event/unreadable', detail ?? ''] }
}

export function lagoValidation(details: object) {
  return { status: 422, error: STATUS_CODES[422], code: 'validation_errors', error_details: details }
}

/** Lago's clients read from this, and not from Retry-After, how long to wait before they repeat a request. */
export function lagoHeaders({ code, headers }: HttpProblem): Readonly<Record<string, string>> {
  const wait = HTTP_PROBLEMS[code].status === 429 ? headers['retry-after'] : undefined
  return wait === undefined ? headers : { ...headers, 'x-ratelimit-reset': wait }
}

/** A problem in Lago's shape. */
export function lagoProblem({ code, message }: HttpProblem) {
  const { status } = HTTP_PROBLEMS[code]
  return { status, error: STATUS_CODES[status], code, error_details: { detail: [message] } }
}
