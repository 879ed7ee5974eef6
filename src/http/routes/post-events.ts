import type { IncomingHttpHeaders } from 'node:http'
import { requireName } from './imports.ts'
import Type from 'typebox'
import type { EventResult } from '../../flows/ingest/ingest-types.ts'
import { countOutcomes } from '../metrics.ts'
import { Flag } from '../api/parameters.ts'
import { PROBLEM_TYPE, problemBody } from '../api/problem.ts'
import { route } from '../route.ts'
import { DRY_RUN_MEMBERS, dryRunView } from './dry-run.ts'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { readDelivery } from '../body/read-delivery.ts'
import { PROBLEMS_MAX, takeDelivery, type TakenDelivery, takenOf } from '../body/take-delivery.ts'

const Problem = Type.Object({
  index: Type.Integer({ description: 'Which element of the body, from 0' }),
  id: Type.Union([Type.String(), Type.Null()]),
  outcome: Type.Enum(['conflict', 'held', 'rejected']),
  code: Type.Union([Type.String(), Type.Null()]),
  detail: Type.Union([Type.String(), Type.Null()]),
})

const Answer = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  conflicts: Type.Integer(),
  held: Type.Integer(),
  rejected: Type.Integer(),
  problems: Type.Array(Problem, { description: `The first ${PROBLEMS_MAX} events that were not accepted` }),
  ...DRY_RUN_MEMBERS,
})

const CloudEvent = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String(),
    source: Type.String(),
    type: Type.String({ examples: ['farthing.request', 'farthing.processing', 'farthing.storage'] }),
    subject: Type.String({ description: 'The account' }),
    time: Type.String({ format: 'date-time' }),
    data: Type.Object({}, { additionalProperties: true }),
  },
  { additionalProperties: true },
)

/** Takes usage. It answers when everything that it counts as accepted is on disk. */
export const postEvents = route({
  method: 'POST',
  url: '/v1/events',
  access: { scope: 'usage:write', boundKeys: 'own' },
  summary: 'Send usage events: one CloudEvent, a batch, or one a line',
  query: Type.Object({
    dryRun: Type.Optional({
      ...Flag,
      description: 'Store nothing: say what would become of each event, and what it would cost',
    }),
  }),
  body: {
    'application/cloudevents+json': CloudEvent,
    'application/cloudevents-batch+json': Type.Array(CloudEvent),
    'application/json': Type.Union([CloudEvent, Type.Array(CloudEvent)]),
    'application/x-ndjson': Type.String(),
  },
  bodyBytesMax: BODY_BYTES_MAX,
  answers: { 200: Answer },
  async handle({ query, body, key, request, reply }, context) {
    const { headers } = request
    const { rawHeaders } = request.raw
    if (query.dryRun === 'true') {
      const { events, isSingle } = await readDelivery(headers, body, rawHeaders)
      const tried = await context.trial.tryEvents(events, key?.account)
      const taken = takenOf(tried.events, isSingle)
      if (taken.refused) return refuseSingle(taken.refused, reply)
      return { ...answerOf(taken), ...dryRunView(tried) }
    }
    const [writer, sender, boundAccount] = [importOf(headers), key?.id, key?.account]
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
function refuseSingle(
  { id, code, detail }: EventResult,
  reply: {
    code(status: number): typeof reply
    type(name: string): typeof reply
    send(body: unknown): unknown
  },
) {
  const body = problemBody(400, 'The event is rejected', code ?? 'event/unreadable', detail ?? '')
  return reply
    .code(400)
    .type(PROBLEM_TYPE)
    .send({ ...body, id })
}
