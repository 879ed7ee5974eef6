import Type from 'typebox'
import type { Key } from '../../flows/keys/key-scopes.ts'
import { PROBLEMS_MAX } from '../../api/post-events.ts'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { HTTP_PROBLEMS } from '../api/problem.ts'
import { type HttpContext, type Reply, route } from '../route.ts'
import { deliver, isRefusal } from './deliver.ts'
import { type LagoEvents, readLagoBatch } from './lago-body.ts'
import { LagoEvent, LagoProblem } from './foreign-schemas.ts'
import { lagoDetails, lagoHeaders, lagoProblem, lagoValidation, lagoView } from './lago-event.ts'

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
  async handle({ body, key, reply }, { ingest, now }) {
    const { sent, delivered } = readLagoBatch(body)
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
