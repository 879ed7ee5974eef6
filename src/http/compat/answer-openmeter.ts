import type { EventResult } from '../../flows/ingest/ingest-types.ts'
import { PROBLEMS_MAX } from '../../api/post-events.ts'
import { PROBLEM_TYPE, problemBody } from '../api/problem.ts'
import {
  type AnswerDelivery,
  type DeliveryAnswer,
  emptyAnswer,
  jsonAnswer,
  type SentDelivery,
  type Stores,
} from '../body/delivery-types.ts'
import { mediaType } from '../body/media-types.ts'
import { readDelivery } from '../body/read-delivery.ts'
import { countOf, submit } from '../body/submit.ts'
import { answerLagoEvent } from './answer-lago.ts'
import { isRefusal, maybeUntimed } from './compat-event.ts'
import { type LagoEvents, readLagoSingle } from './lago-body.ts'

/** For clients of OpenMeter's third version. */
export const answerOpenmeter: AnswerDelivery = (sent, stores) => takeCloudEvents(sent, stores, 202)

/** For clients of OpenMeter, and for the single event of a client of Lago. */
export const answerOpenmeterOrLago: AnswerDelivery = async (sent, stores) => {
  const event = lagoEventOf(sent)
  return event ? answerLagoEvent(event, sent, stores) : takeCloudEvents(sent, stores, 204)
}

function lagoEventOf({ headers, body }: SentDelivery): LagoEvents | undefined {
  if (mediaType(headers['content-type']) !== 'application/json') return undefined
  if (headers['ce-specversion'] !== undefined) return undefined
  return readLagoSingle(body)
}

async function takeCloudEvents(
  sent: SentDelivery,
  { ingest }: Stores,
  status: 202 | 204,
): Promise<DeliveryAnswer> {
  const { events } = readDelivery(sent.headers, sent.body, sent.rawHeaders)
  const results = await submit(ingest, events.map(maybeUntimed), sent)
  return results.some(isRefusal) ? refuse(results, sent) : emptyAnswer(status, countOf(results))
}

/** Those that can be stored are, also beside one that cannot: repeating them is harmless. */
function refuse(results: readonly EventResult[], { requestId }: SentDelivery): DeliveryAnswer {
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
    requestId,
  })
  const problems = refused.slice(0, PROBLEMS_MAX).map(([at, result]) => ({ index: at, ...result }))
  return jsonAnswer(status, { ...problem, problems }, countOf(results), PROBLEM_TYPE)
}
