import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import type { Delivered, EventResult } from '../../flows/ingest/ingest-types.ts'
import { unreadable } from '../body/deliver-element.ts'
import { mediaType } from '../body/media-types.ts'
import { countOf, submit } from '../body/submit.ts'
import { HTTP_PROBLEMS, HttpProblem } from '../api/problem.ts'
import { StripeMeterEvent, StripeProblem } from './compat-schemas.ts'
import { inWordsOf, STRIPE_WORDS } from './client-words.ts'
import { compatEvent, isRefusal } from './compat-event.ts'
import { readForm } from './read-form.ts'
import { timeOfSeconds } from './seconds.ts'
import { type Reply, route } from '../route.ts'

/** The protocol has no source: its identifiers are unique in themselves. */
export const STRIPE_SOURCE = 'stripe'
/** The field of the payload that names the account. */
const CUSTOMER = 'stripe_customer_id'

/** One event of a Stripe client. */
export const postStripeMeterEvent = route({
  method: 'POST',
  url: '/v1/billing/meter_events',
  access: { scope: 'usage:write', boundKeys: 'own', basic: true },
  tag: 'Other clients',
  summary: 'Send a usage event as a Stripe client does',
  description:
    'Takes one meter event of a Stripe client, as a form. The key may be sent as the user name of HTTP Basic.',
  refusals: [429],
  body: { 'application/x-www-form-urlencoded': Type.Object({}, { additionalProperties: true }) },
  answers: { 200: StripeMeterEvent },
  answersAreSmall: true,
  problem: StripeProblem,
  answerProblem(problem, request, reply) {
    const { status } = HTTP_PROBLEMS[problem.code]
    const type = status >= 500 ? 'api_error' : (ERROR_TYPES[status] ?? 'invalid_request_error')
    const retry = status === 429 || status === 503 ? { 'stripe-should-retry': 'true' } : {}
    void reply.headers({ ...problem.headers, ...retry })
    return sendError(reply, request, status, { type, code: problem.code, message: problem.message })
  },
  async handle({ body, key, request, reply }, context) {
    if (mediaType(request.headers['content-type']) !== 'application/x-www-form-urlencoded') {
      const detail = 'The body is no form: send application/x-www-form-urlencoded.'
      throw new HttpProblem('request/unsupported_media_type', detail)
    }
    const sent = readMeterEvent(body, request)
    const by = { sender: key?.id, boundAccount: key?.account }
    const results = await submit(context.ingest, [sent.delivered], by)
    context.metrics.countOutcomes(countOf(results))
    const [result] = results
    void reply.header('request-id', request.id)
    if (result && isRefusal(result)) return refuse(result, sent, request, reply)
    return meterEventView(sent, context.now())
  },
})

const ERROR_TYPES: Readonly<Record<number, string>> = { 401: 'authentication_error', 429: 'rate_limit_error' }

interface Sent {
  readonly delivered: Delivered
  readonly name: string
  readonly identifier: string
  /** The identifier is that of the request: only a repetition of the request can have it again. */
  readonly isOfRequest: boolean
  readonly payload: { readonly [field: string]: string }
  /** Seconds since 1970, as they came. */
  readonly timestamp: string | undefined
}

function readMeterEvent(body: Buffer, request: FastifyRequest): Sent {
  const { fields, maps } = readForm(body)
  const payload = Object.fromEntries(maps.get('payload') ?? [])
  if (payload[''] !== undefined) {
    const detail = 'The payload has a value without a name: send payload[value]=25 or the like.'
    throw new HttpProblem('request/invalid_body', detail)
  }
  const repeatable = request.headers['idempotency-key']
  const named = fields.get('identifier')
  const identifier = named ?? (typeof repeatable === 'string' ? repeatable : randomUUID())
  const [name, timestamp] = [fields.get('event_name') ?? '', fields.get('timestamp')]
  const sent = { name, identifier, isOfRequest: named === undefined, payload, timestamp }
  return { ...sent, delivered: deliveredOf(sent) }
}

function deliveredOf({ name, identifier, payload, timestamp }: Omit<Sent, 'delivered'>): Delivered {
  const time = timestamp === undefined ? null : timeOfSeconds(timestamp)
  if (time === undefined) {
    const detail = 'timestamp is not seconds since 1970: send such as 1753671600.'
    return unreadable('event/invalid_time', detail, JSON.stringify({ name, identifier, payload }))
  }
  const event: { readonly [attribute: string]: Json } = {
    specversion: '1.0',
    id: identifier,
    source: STRIPE_SOURCE,
    type: name,
    subject: payload[CUSTOMER] ?? null,
    time,
    data: payload,
  }
  return compatEvent(event)
}

function meterEventView(
  { name, identifier, payload, timestamp }: Sent,
  now: Instant,
): Static<typeof StripeMeterEvent> {
  const created = Math.floor(now / 1000)
  return {
    object: 'billing.meter_event',
    created,
    event_name: name,
    identifier,
    livemode: true,
    payload,
    timestamp:
      timestamp === undefined
        ? created
        : Math.floor(Date.parse(timeOfSeconds(timestamp) ?? formatInstant(now)) / 1000),
  }
}

function refuse(result: EventResult, sent: Sent, request: FastifyRequest, reply: Reply): Reply {
  const { outcome, code, detail } = inWordsOf(STRIPE_WORDS, result)
  const isRepeat = outcome === 'conflict' && sent.isOfRequest
  const type = isRepeat ? 'idempotency_error' : 'invalid_request_error'
  return sendError(reply, request, 400, { type, code: code ?? 'event/unreadable', message: detail ?? '' })
}

function sendError(reply: Reply, request: FastifyRequest, status: number, error: object): Reply {
  return reply.code(status).header('request-id', request.id).send({ error })
}
