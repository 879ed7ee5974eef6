import Type from 'typebox'
import { VOID_EFFECTS } from '../core/present/void-view.ts'
import { endpoint, type ValueOf } from './endpoint.ts'
import { optionalText, optionalTime, parameter } from './parameters.ts'
import { RefusedEvent } from './unbilled.ts'
import { Nullable, NullableTime, Range, SentEvent, Text, Time } from './views.ts'

const Voided = Type.Object({
  at: Time,
  by: Text,
  reason: Text,
  effect: Type.Enum([...VOID_EFFECTS]),
  cycle: Type.Object(Range.properties, { description: 'The hour among whose facts the void is' }),
  bill: Type.Union([Type.String(), Type.Null()], { description: 'The bill that gives it back' }),
  lines: Type.Array(Type.Integer()),
})

export const StoredEvent = Type.Object({
  event: SentEvent,
  receivedAt: Time,
  cycle: Type.Object(Range.properties, { description: 'The hour in whose bill it counts' }),
  late: Type.Boolean({ description: 'It counts in a later hour than the one in which it happened' }),
  outcome: Type.Enum(['accepted', 'conflict', 'held', 'rejected']),
  state: Type.Enum(['open', 'sealed', 'settled']),
  bill: Nullable,
  lines: Type.Array(Type.Integer()),
  voided: Type.Union([Voided, Type.Null()]),
  steps: Type.Array(
    Type.Object({
      at: NullableTime,
      code: Type.Union([Type.String(), Type.Null()], {
        description: 'Why nothing is charged, if the step says so',
      }),
      text: Text,
    }),
  ),
})
export type StoredEvent = ValueOf<typeof StoredEvent>

export const GetEvents = endpoint({
  method: 'GET',
  url: '/v1/events',
  tag: 'Usage events',
  summary: 'What became of the events of an account with an id, step by step',
  description:
    'Finds every event of an id and says when it came, in which hour it counts, by which rule and price, and on which lines of which bill. It searches 800 days with usage, the newest first, unless `from` and `to` say where.',
  query: Type.Object({
    account: optionalText('The subject of the events. Left out with a key that is bound to one'),
    id: parameter(Type.String({ minLength: 1 }), 'send the id of an event'),
    source: optionalText('Only events of this source'),
    from: optionalTime('Only events that happened in hours that start at this time or later'),
    to: optionalTime('Only events that happened in hours that start before this time'),
  }),
  answers: {
    200: Type.Object({
      stored: Type.Array(StoredEvent, { description: 'One for each hour and source, latest first' }),
      refused: Type.Array(RefusedEvent, { description: 'Those that were not accepted, newest first' }),
    }),
  },
})
