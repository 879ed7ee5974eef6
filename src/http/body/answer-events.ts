import { PROBLEMS_MAX } from '../../api/post-events.ts'
import type { EventResult, Outcome } from '../../flows/ingest/ingest-types.ts'
import { PROBLEM_TYPE, problemBody } from '../api/problem.ts'
import { type AnswerDelivery, type DeliveryAnswer, jsonAnswer, type SentDelivery } from './delivery-types.ts'
import { dryRunView } from './dry-run-view.ts'
import { readDelivery } from './read-delivery.ts'
import { countOf, submit } from './submit.ts'

/** An event of a delivery that something has to be said of. */
interface Problem extends EventResult {
  /** There is nothing to say of a duplicate. */
  readonly outcome: Exclude<Outcome, 'duplicate'>
  readonly code: string
  readonly detail: string
  /** Which element of the body, from 0. */
  readonly index: number
}

/** POST /v1/events: it is answered when everything that it counts as accepted is on disk. */
export const answerEvents: AnswerDelivery = async (sent, { ingest }) => {
  const { events, isSingle } = readDelivery(sent.headers, sent.body, sent.rawHeaders)
  const results = await submit(ingest, events, sent)
  const counts = countOf(results)
  const refused = refusedAlone(results, isSingle)
  if (refused) return { ...refuseSingle(refused, sent), counts }
  return jsonAnswer(200, viewOf(counts, results), counts)
}

/** The same with `dryRun=true`: nothing is stored. */
export const answerDryRun: AnswerDelivery = async (sent, { trial }) => {
  const { events, isSingle } = readDelivery(sent.headers, sent.body, sent.rawHeaders)
  const tried = await trial.tryEvents(events, sent.boundAccount, sent.writer)
  const refused = refusedAlone(tried.events, isSingle)
  if (refused) return refuseSingle(refused, sent)
  const view = { ...viewOf(countOf(tried.events), tried.events), ...dryRunView(tried) }
  return jsonAnswer(200, view, undefined)
}

/** One event, sent on its own, that is rejected: the request has failed with it. */
function refusedAlone(results: readonly EventResult[], isSingle: boolean): EventResult | undefined {
  return isSingle && results[0]?.outcome === 'rejected' ? results[0] : undefined
}

/** … and is answered with the event's own code. */
function refuseSingle({ id, code, detail }: EventResult, { requestId }: SentDelivery): DeliveryAnswer {
  const body = problemBody({
    status: 400,
    title: 'The event is rejected',
    code: code ?? 'event/unreadable',
    detail: detail ?? '',
    requestId,
  })
  return jsonAnswer(400, { ...body, id }, undefined, PROBLEM_TYPE)
}

function viewOf(counts: Readonly<Record<Outcome, number>>, results: readonly EventResult[]) {
  return {
    accepted: counts.accepted,
    duplicates: counts.duplicate,
    conflicts: counts.conflict,
    held: counts.held,
    rejected: counts.rejected,
    problems: problemsOf(results),
  }
}

/** Of events that were not accepted, and then each remark once, of its first event; at most 1,000 of all. */
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
