import { STATUS_CODES } from 'node:http'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { bodyOf, HTTP_PROBLEMS, type HttpProblem } from '../api/problem.ts'
import { type Reply, route } from '../route.ts'
import { takeDelivery } from '../take-delivery.ts'
import { lagoHeaders } from './lago-event.ts'
import { LagoEvent } from './compat-schemas.ts'
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
  handle: (call, context) => takeDelivery('openmeter or lago', call, context),
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
  handle: (call, context) => takeDelivery('openmeter', call, context),
})

function answerCompatProblem(problem: HttpProblem, request: FastifyRequest, reply: Reply): Reply {
  const { status } = HTTP_PROBLEMS[problem.code]
  const own = bodyOf(problem, request.id)
  const lago = { error: STATUS_CODES[status], error_details: { detail: [problem.message] } }
  return sendProblemBytes(reply.code(status).headers(lagoHeaders(problem)), { ...own, ...lago })
}
