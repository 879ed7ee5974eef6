import type { IncomingHttpHeaders } from 'node:http'
import type {
  EventResult,
  Ingest,
  NotSubmitted,
  Outcome,
  SubmitOptions,
} from '../../flows/ingest/ingest-types.ts'
import { PROBLEMS_MAX } from '../../api/post-events.ts'
import { HttpProblem } from '../api/problem.ts'
import { LARGE_BODY_BYTES } from './limits.ts'
import { readDelivery } from './read-delivery.ts'

/** A body with events, and who sent it. */
export interface SentDelivery extends SubmitOptions {
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** The only account that the sender's key may send for; undefined: any. */
  readonly boundAccount: string | undefined
}

/** An event of a delivery that something has to be said of. */
export interface Problem extends EventResult {
  /** There is nothing to say of a duplicate. */
  readonly outcome: Exclude<Outcome, 'duplicate'>
  readonly code: string
  readonly detail: string
  /** Which element of the body, from 0. */
  readonly index: number
}

/** What became of a delivery: small, however many events it has. */
export interface TakenDelivery {
  readonly counts: Readonly<Record<Outcome, number>>
  /** Of events that were not accepted, and then each remark once, of its first event; at most 1,000 of all. */
  readonly problems: readonly Problem[]
  /** One event, sent on its own, that is rejected: the request has failed with it. */
  readonly refused: EventResult | undefined
}

/** Takes large deliveries in threads beside this one. */
export interface LargeDeliveries {
  /** @returns as `takeDelivery`; undefined, at once or later, when no thread can take it now */
  take(sent: SentDelivery): Promise<TakenDelivery | undefined> | undefined
}

export interface Takers {
  readonly ingest: Ingest
  readonly large?: LargeDeliveries
}

/**
 * Read a delivery and store it. The answer comes when it is durable.
 * @throws HttpProblem when its body cannot be read as a whole, or none of it was stored
 */
export async function takeDelivery({ ingest, large }: Takers, sent: SentDelivery): Promise<TakenDelivery> {
  const { headers, rawHeaders, body, boundAccount, writer, sender } = sent
  const elsewhere = body.length >= LARGE_BODY_BYTES ? await large?.take(sent) : undefined
  if (elsewhere) return elsewhere
  const { events, isSingle } = readDelivery(headers, body, rawHeaders)
  const submitted = await ingest.submit(events, boundAccount, { writer, sender })
  if (!submitted.ok) throw notSubmitted(submitted)
  return takenOf(submitted.results, isSingle)
}

/** @param isSingle one event on its own, not in a list */
export function takenOf(results: readonly EventResult[], isSingle: boolean): TakenDelivery {
  const [only] = results
  const refused = isSingle && only?.outcome === 'rejected' ? only : undefined
  return { counts: count(results), problems: problemsOf(results), refused }
}

function notSubmitted({ code, detail, retryAfterSeconds }: NotSubmitted): HttpProblem {
  return new HttpProblem(code, detail, { 'retry-after': String(retryAfterSeconds) })
}

function count(results: readonly EventResult[]): Record<Outcome, number> {
  const counts: Record<Outcome, number> = { accepted: 0, duplicate: 0, conflict: 0, held: 0, rejected: 0 }
  for (const { outcome } of results) counts[outcome]++
  return counts
}

function problemsOf(results: readonly EventResult[]): readonly Problem[] {
  // Nearly always.
  if (results.every(({ code }) => code === null)) return []
  const noted = [...results.entries()].flatMap(([index, { id, outcome, code, detail }]): Problem[] =>
    code === null || outcome === 'duplicate' ? [] : [{ index, id, outcome, code, detail: detail ?? '' }],
  )
  const problems = noted.filter(({ outcome }) => outcome !== 'accepted')
  return [...problems, ...distinctRemarks(noted)].slice(0, PROBLEMS_MAX)
}

/** Remarks on one event by itself. */
const OF_ONE_EVENT = /^event\/level_/

/**
 * A remark that holds of many events is told of the first: an answer stays small, whatever a sender sends all day. One that
 * concerns an event by itself is told of each.
 */
function distinctRemarks(noted: readonly Problem[]): readonly Problem[] {
  const told = new Set<string>()
  return noted.filter(({ outcome, code, detail }) => {
    if (outcome !== 'accepted') return false
    if (OF_ONE_EVENT.test(code)) return true
    if (told.has(detail)) return false
    told.add(detail)
    return true
  })
}
