import type { IncomingHttpHeaders } from 'node:http'
import type { Instant } from '../../core/time/instant.ts'
import type { TriedEvents } from '../../flows/ingest/dry-run.ts'
import type { Delivered, Ingest, Outcome, SubmitOptions } from '../../flows/ingest/ingest-types.ts'

/** How a body with events is read, and its answer written. */
export type Protocol = 'events' | 'dry run' | 'openmeter' | 'openmeter or lago' | 'lago batch'

/** A body with events, and who sent it: plain data. */
export interface SentDelivery extends SubmitOptions {
  readonly protocol: Protocol
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** The only account that the sender's key may send for; undefined: any. */
  readonly boundAccount: string | undefined
  /** What the answer calls the request. */
  readonly requestId: string
}

/** What a delivery is answered: plain data. */
export interface DeliveryAnswer {
  readonly status: number
  /** The whole header Content-Type; undefined: there is no body. */
  readonly type: string | undefined
  readonly text: string
  /** Of events that were stored, or not; undefined for a dry run. */
  readonly counts: Readonly<Record<Outcome, number>> | undefined
}

/** What deliveries are stored in, or only tried on. */
export interface Stores {
  readonly ingest: Pick<Ingest, 'submit'>
  readonly trial: {
    tryEvents(
      batch: readonly Delivered[],
      boundAccount: string | undefined,
      writer: string | undefined,
    ): Promise<TriedEvents>
  }
  /** This process's clock, for times that an answer shows. */
  readonly now: () => Instant
}

/** Reads and stores one delivery. Throws HttpProblem when its body cannot be read as a whole, or none of it was stored. */
export type AnswerDelivery = (sent: SentDelivery, stores: Stores) => Promise<DeliveryAnswer>

/** Takes large deliveries in threads beside this one. */
export interface LargeDeliveries {
  /** @returns undefined, at once or later, when no thread can take it now */
  take(sent: SentDelivery): Promise<DeliveryAnswer | undefined> | undefined
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** An answer of JSON. */
export function jsonAnswer(
  status: number,
  value: object,
  counts: DeliveryAnswer['counts'],
  type = JSON_TYPE,
): DeliveryAnswer {
  return { status, type, text: JSON.stringify(value), counts }
}

/** An answer that says all with its status. */
export function emptyAnswer(status: number, counts: DeliveryAnswer['counts']): DeliveryAnswer {
  return { status, type: undefined, text: '', counts }
}
