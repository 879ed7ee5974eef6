import Type from 'typebox'
import { DRY_RUN_MEMBERS } from './dry-run.ts'
import { endpoint, type ValueOf } from './endpoint.ts'
import { Flag } from './parameters.ts'
import { Nullable, Text } from './views.ts'

/** Detail is shown for at most this many events; the counts are of all. */
export const PROBLEMS_MAX = 1000

const Problem = Type.Object({
  index: Type.Integer({ description: 'Which element of the body, from 0' }),
  id: Nullable,
  outcome: Type.Enum(['conflict', 'held', 'rejected', 'accepted'], {
    description: '`accepted`: there is something to remark on it',
  }),
  code: Text,
  detail: Text,
})

export const Outcomes = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  conflicts: Type.Integer(),
  held: Type.Integer(),
  rejected: Type.Integer(),
  problems: Type.Array(Problem, {
    description: `The first ${PROBLEMS_MAX} events that were not accepted, then those with a remark`,
  }),
  ...DRY_RUN_MEMBERS,
})
export type Outcomes = ValueOf<typeof Outcomes>

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

export const PostEvents = endpoint({
  method: 'POST',
  url: '/v1/events',
  tag: 'Usage events',
  summary: 'Send usage events: one CloudEvent, a batch, or one a line',
  description:
    'Takes CloudEvents alone, in a batch or one a line, also packed with gzip. It answers 200 when every event that it counts as accepted is on disk. A bad event never fails its neighbours: `problems` names it. A repeat of the same event is a duplicate, so anything may be sent again.',
  refusals: [429],
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
  answers: { 200: Outcomes },
})
