import { PROBLEMS_MAX } from '../../api/post-events.ts'
import {
  type AnswerDelivery,
  type DeliveryAnswer,
  jsonAnswer,
  type SentDelivery,
  type Stores,
} from '../body/delivery-types.ts'
import { countOf, submit } from '../body/submit.ts'
import { isRefusal } from './compat-event.ts'
import { type LagoEvents, readLagoBatch } from './lago-body.ts'
import { lagoDetails, lagoValidation, lagoView } from './lago-event.ts'

/** One event of a Lago client, for POST /api/v1/events. */
export async function answerLagoEvent(
  { sent: [event], delivered }: LagoEvents,
  sent: SentDelivery,
  { ingest, now }: Stores,
): Promise<DeliveryAnswer> {
  const results = await submit(ingest, delivered, sent)
  const [result] = results
  if (result && isRefusal(result)) {
    return jsonAnswer(422, lagoValidation(lagoDetails(result)), countOf(results))
  }
  return jsonAnswer(200, { event: lagoView(event, now()) }, countOf(results))
}

/** Events of a Lago client. Those that can be stored are, also beside one that cannot: repeating them is harmless. */
export const answerLagoBatch: AnswerDelivery = async (sent, { ingest, now }) => {
  const read = readLagoBatch(sent.body)
  const results = await submit(ingest, read.delivered, sent)
  const counts = countOf(results)
  const refused = [...results.entries()].filter(([, result]) => isRefusal(result))
  if (refused.length === 0) {
    return jsonAnswer(200, { events: read.sent.map((event) => lagoView(event, now())) }, counts)
  }
  const named = refused.slice(0, PROBLEMS_MAX)
  const details = named.map(([index, result]) => [String(index), lagoDetails(result)] as const)
  return jsonAnswer(422, lagoValidation(Object.fromEntries(details)), counts)
}
