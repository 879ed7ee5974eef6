import type { IncomingHttpHeaders } from 'node:http'
import type { EventResult } from '../../flows/ingest/ingest-types.ts'
import { PostEvents } from '../../api/post-events.ts'
import { countOutcomes } from '../metrics.ts'
import { PROBLEM_TYPE, problemBody } from '../api/problem.ts'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { readDelivery } from '../body/read-delivery.ts'
import { takeDelivery, type TakenDelivery, takenOf } from '../body/take-delivery.ts'
import { type Reply, route } from '../route.ts'
import { requireName } from './imports.ts'
import { dryRunView } from './dry-run.ts'

/** Takes usage. It answers when everything that it counts as accepted is on disk. */
export const postEvents = route({
  ...PostEvents,
  access: { scope: 'usage:write', boundKeys: 'own' },
  bodyBytesMax: BODY_BYTES_MAX,
  async handle({ query, body, key, request, reply }, context) {
    const { headers } = request
    const { rawHeaders } = request.raw
    const [writer, sender, boundAccount] = [importOf(headers), key?.id, key?.account]
    if (query.dryRun === 'true') {
      const { events, isSingle } = readDelivery(headers, body, rawHeaders)
      const tried = await context.trial.tryEvents(events, boundAccount, context.reading, writer)
      const taken = takenOf(tried.events, isSingle)
      if (taken.refused) return refuseSingle(taken.refused, reply)
      return { ...answerOf(taken), ...dryRunView(tried) }
    }
    const sent = { headers, rawHeaders, body, writer, sender, boundAccount }
    const taken = await takeDelivery(context, sent)
    countOutcomes(taken.counts)
    return taken.refused ? refuseSingle(taken.refused, reply) : answerOf(taken)
  },
})

function answerOf({ counts, problems }: TakenDelivery) {
  return {
    accepted: counts.accepted,
    duplicates: counts.duplicate,
    conflicts: counts.conflict,
    held: counts.held,
    rejected: counts.rejected,
    problems,
  }
}

/** The import that the delivery belongs to, if it says so. */
function importOf({ 'farthing-import': name }: IncomingHttpHeaders): string | undefined {
  return typeof name === 'string' ? requireName(name) : undefined
}

/** An event that was sent alone and rejected: the request has failed with the event's own code. */
function refuseSingle({ id, code, detail }: EventResult, reply: Reply): Reply {
  const body = problemBody({
    status: 400,
    title: 'The event is rejected',
    code: code ?? 'event/unreadable',
    detail: detail ?? '',
    requestId: reply.request.id,
  })
  return reply
    .code(400)
    .type(PROBLEM_TYPE)
    .send({ ...body, id })
}
