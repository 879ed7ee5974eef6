import type { FastifyRequest } from 'fastify'
import { HttpProblem } from './api/problem.ts'
import { answerDelivery } from './answer-delivery.ts'
import type {
  DeliveryAnswer,
  LargeDeliveries,
  Protocol,
  SentDelivery,
  Stores,
} from './body/delivery-types.ts'
import { isLarge } from './body/is-large.ts'
import type { Call, HttpContext, Reply } from './route.ts'

/**
 * The answer to a request with events: a thread beside this one takes it if it is large, and this one otherwise.
 * @throws HttpProblem when its body cannot be read as a whole, or none of it was stored
 */
export async function takeDelivery(
  protocol: Protocol,
  { body, key, request, reply }: Omit<Call<unknown, unknown>, 'query' | 'params'>,
  { ingest, trial, reading, now, large, metrics }: HttpContext,
  writer?: string,
): Promise<Reply> {
  const { headers, id: requestId } = request
  const { rawHeaders } = request.raw
  const [sender, boundAccount] = [key?.id, key?.account]
  const sent: SentDelivery = { protocol, headers, rawHeaders, body, writer, sender, boundAccount, requestId }
  const tryEvents: Stores['trial']['tryEvents'] = (events, account, writer) =>
    trial.tryEvents(events, account, reading, writer)
  const here = () => answerDelivery(sent, { ingest, trial: { tryEvents }, now })
  const answer = await (isLarge(body) ? takeLarge(sent, request, here, large) : here())
  if (answer.counts) metrics.countOutcomes(answer.counts)
  void reply.code(answer.status)
  if (answer.type === undefined) return reply.send()
  // As bytes: Fastify adds a charset to the types of texts.
  return reply.header('content-type', answer.type).send(Buffer.from(answer.text))
}

/** What a large body takes up is counted until it is stored, so that nobody fills the memory by going away. */
function takeLarge(
  sent: SentDelivery,
  { raw, memory }: FastifyRequest,
  here: () => Promise<DeliveryAnswer>,
  large: LargeDeliveries | undefined,
): Promise<DeliveryAnswer> {
  if (raw.socket.destroyed) {
    throw new HttpProblem('request/incomplete_body', 'The connection has ended: send the body again.')
  }
  return memory.during((async () => (await large?.take(sent)) ?? here())())
}
