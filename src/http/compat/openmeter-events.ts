import { STATUS_CODES } from 'node:http'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { EventResult } from '../../flows/ingest/ingest-types.ts'
import { PROBLEMS_MAX } from '../../api/post-events.ts'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { mediaType } from '../body/media-types.ts'
import { readDelivery } from '../body/read-delivery.ts'
import { bodyOf, HTTP_PROBLEMS, type HttpProblem, problemBody } from '../api/problem.ts'
import { type Call, type HttpContext, type Reply, route } from '../route.ts'
import { deliver, isRefusal, maybeUntimed } from './deliver.ts'
import { type LagoEvents, readLagoSingle } from './lago-body.ts'
import { lagoHeaders } from './lago-event.ts'
import { LagoEvent } from './foreign-schemas.ts'
import { takeLagoEvent } from './lago-events.ts'
import { sendProblemBytes } from './openmeter-problem.ts'

const Event = Type.Object(
  {},
  { additionalProperties: true, description: 'A CloudEvent; `time` may be left out' },
)
const CLOUD_EVENTS = {
  'application/cloudevents+json': Event,
  'application/cloudevents-batch+json': Type.Array(Event),
}
const Done = Type.Null({ description: 'All are stored' })

/** The address that clients of OpenMeter and of Lago have in common: Lago's body has a key `event`. */
export const postCompatEvents = route({
  method: 'POST',
  url: '/api/v1/events',
  access: { scope: 'usage:write', boundKeys: 'own' },
  tag: 'Other clients',
  summary: 'Send usage events as an OpenMeter client does; or one, as a Lago client does',
  description:
    'Takes the events of an OpenMeter client, answered with 204, and the single event of a Lago client, answered with 200.',
  refusals: [409, 422, 429],
  body: {
    ...CLOUD_EVENTS,
    'application/json': Type.Union([Event, Type.Array(Event), Type.Object({ event: LagoEvent })]),
  },
  bodyBytesMax: BODY_BYTES_MAX,
  answers: { 200: Type.Object({ event: Type.Object({}, { additionalProperties: true }) }), 204: Done },
  // Before the body is read nobody knows whose client it is: the members of both, which differ in name.
  answerProblem: answerCompatProblem,
  async handle(call, context) {
    const event = lagoEventOf(call)
    if (event !== undefined) return takeLagoEvent(event, call.key, context, call.reply)
    return takeCloudEvents(call, context, 204)
  },
})

/** The same under the address of OpenMeter's third version. */
export const postOpenmeterEvents = route({
  method: 'POST',
  url: '/api/v3/openmeter/events',
  access: { scope: 'usage:write', boundKeys: 'own' },
  tag: 'Other clients',
  summary: 'Send usage events as a client of OpenMeter 3 does',
  description: 'Takes the events of a client of the third version of OpenMeter.',
  refusals: [409, 429],
  body: { ...CLOUD_EVENTS, 'application/json': Type.Union([Event, Type.Array(Event)]) },
  bodyBytesMax: BODY_BYTES_MAX,
  answers: { 202: Done },
  answerProblem: answerCompatProblem,
  handle: (call, context) => takeCloudEvents(call, context, 202),
})

function answerCompatProblem(problem: HttpProblem, request: FastifyRequest, reply: Reply): Reply {
  const { status } = HTTP_PROBLEMS[problem.code]
  const own = bodyOf(problem, request.id)
  const lago = { error: STATUS_CODES[status], error_details: { detail: [problem.message] } }
  return sendProblemBytes(reply.code(status).headers(lagoHeaders(problem)), { ...own, ...lago })
}

function lagoEventOf({
  body,
  request,
}: Pick<Call<unknown, unknown>, 'body' | 'request'>): LagoEvents | undefined {
  if (mediaType(request.headers['content-type']) !== 'application/json') return undefined
  if (request.headers['ce-specversion'] !== undefined) return undefined
  return readLagoSingle(body)
}

async function takeCloudEvents(
  { body, key, request, reply }: Call<unknown, unknown>,
  { ingest }: HttpContext,
  status: 202 | 204,
): Promise<Reply> {
  const { events } = readDelivery(request.headers, body, request.raw.rawHeaders)
  const results = await deliver(events.map(maybeUntimed), key, ingest)
  return results.some(isRefusal) ? refuse(results, reply) : reply.code(status).send()
}

/** Those that can be stored are, also beside one that cannot: repeating them is harmless. */
function refuse(results: readonly EventResult[], reply: Reply): Reply {
  const refused = [...results.entries()].filter(([, result]) => isRefusal(result))
  const [index, { code, detail }] = refused.find(([, { outcome }]) => outcome === 'rejected') ?? refused[0]!
  const status = code === 'event/conflict' ? 409 : 400
  const place = results.length === 1 ? '' : `Event ${index} of ${results.length} (from 0): `
  const title = status === 409 ? 'Another event has this id' : 'An event is rejected'
  const problem = problemBody({
    status,
    title,
    code: code ?? 'event/unreadable',
    detail: `${place}${detail ?? ''}`,
    requestId: reply.request.id,
  })
  const problems = refused.slice(0, PROBLEMS_MAX).map(([at, result]) => ({ index: at, ...result }))
  return sendProblemBytes(reply.code(status), { ...problem, problems })
}
