import Type from 'typebox'
import { HTTP_PROBLEMS } from '../api/problem.ts'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { route } from '../route.ts'
import { takeDelivery } from '../take-delivery.ts'
import { LagoEvent, LagoProblem } from './compat-schemas.ts'
import { lagoHeaders, lagoProblem } from './lago-event.ts'

/** Events of a Lago client. Those that can be stored are, also beside one that cannot: repeating them is harmless. */
export const postLagoBatch = route({
  method: 'POST',
  url: '/api/v1/events/batch',
  access: { scope: 'usage:write', boundKeys: 'own' },
  tag: 'Other clients',
  summary: 'Send usage events as a Lago client does: a batch',
  description:
    'Takes up to 10,000 events of a Lago client. Good events beside a bad one are stored, so the whole batch may be sent again.',
  refusals: [422, 429],
  body: { 'application/json': Type.Object({ events: Type.Array(LagoEvent) }) },
  bodyBytesMax: BODY_BYTES_MAX,
  answers: { 200: Type.Object({ events: Type.Array(Type.Object({}, { additionalProperties: true })) }) },
  problem: LagoProblem,
  answerProblem(problem, _, reply) {
    const { status } = HTTP_PROBLEMS[problem.code]
    return reply.code(status).headers(lagoHeaders(problem)).send(lagoProblem(problem))
  },
  handle: (call, context) => takeDelivery('lago batch', call, context),
})
