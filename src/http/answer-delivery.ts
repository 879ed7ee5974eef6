import { answerDryRun, answerEvents } from './body/answer-events.ts'
import type { AnswerDelivery, Protocol } from './body/delivery-types.ts'
import { answerLagoBatch } from './compat/answer-lago.ts'
import { answerOpenmeter, answerOpenmeterOrLago } from './compat/answer-openmeter.ts'

const PROTOCOLS: Readonly<Record<Protocol, AnswerDelivery>> = {
  events: answerEvents,
  'dry run': answerDryRun,
  openmeter: answerOpenmeter,
  'openmeter or lago': answerOpenmeterOrLago,
  'lago batch': answerLagoBatch,
}

/** Read and store a delivery, by its protocol. The answer comes when it is durable. */
export const answerDelivery: AnswerDelivery = (sent, stores) => PROTOCOLS[sent.protocol](sent, stores)
