import Type from 'typebox'
import type { Key } from '../../flows/keys/key-scopes.ts'
import { PROBLEMS_MAX } from '../../api/post-events.ts'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { parseJsonBody } from '../body/read-json.ts'
import { HTTP_PROBLEMS } from '../api/problem.ts'
import { type HttpContext, type Reply, route } from '../route.ts'
import { deliver, isRefusal } from './deliver.ts'
import { type LagoEvents, readLagoBatch } from './lago-body.ts'
import { lagoDetails, lagoHeaders, lagoProblem, lagoValidation, lagoView } from './lago-event.ts'

export const LagoEvent = Type.Object(
  {
    transaction_id: Type.String({ description: 'The id of the event' }),
    external_subscription_id: Type.String({ description: 'The account' }),
    code: Type.String({ description: 'The type of the event' }),
    timestamp: Type.Optional(
      Type.Union([Type.Integer(), Type.String()], { description: 'Seconds since 1970' }),
    ),
    properties: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { additionalProperties: true },
)

/** One event of a Lago client, for POST /api/v1/events. */
export async function takeLagoEvent(
  { sent, delivered }: LagoEvents,
  key: Key | undefined,
  { ingest, now }: HttpContext,
  reply: Reply,
): Promise<Reply | { readonly event: object }> {
  const [result] = await deliver(delivered, key, ingest)
  if (result && isRefusal(result)) return reply.code(422).send(lagoValidation(lagoDetails(result)))
  return { event: lagoView(sent[0], now()) }
}

/** Events of a Lago client. Those that can be stored are, also beside one that cannot: repeating them is harmless. */
export const postLagoBatch = route({
  method: 'POST',
  url: '/api/v1/events/batch',
  access: { scope: 'usage:write', boundKeys: 'own' },
  summary: 'Send usage events as a Lago client does: a batch',
  body: { 'application/json': Type.Object({ events: Type.Array(LagoEvent) }) },
  bodyBytesMax: BODY_BYTES_MAX,
  answers: { 200: Type.Object({ events: Type.Array(Type.Object({}, { additionalProperties: true })) }) },
  answerProblem(problem, _, reply) {
    const { status } = HTTP_PROBLEMS[problem.code]
    return reply.code(status).headers(lagoHeaders(problem)).send(lagoProblem(problem))
  },
  async handle({ body, key, reply }, { ingest, now }) {
    const { sent, delivered } = readLagoBatch(parseJsonBody(body))
    const results = await deliver(delivered, key, ingest)
    const refused = [...results.entries()].filter(([, result]) => isRefusal(result))
    if (refused.length > 0) {
      const named = refused.slice(0, PROBLEMS_MAX)
      const details = named.map(([index, result]) => [String(index), lagoDetails(result)] as const)
      return reply.code(422).send(lagoValidation(Object.fromEntries(details)))
    }
    return { events: sent.map((event) => lagoView(event, now())) }
  },
})
