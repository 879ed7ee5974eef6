import Type from 'typebox'
import { cloudEventView } from '../../core/present/event-view.ts'
import { storyOf, type VoidFacts } from '../../core/present/event-story.ts'
import { effectOf, VOID_EFFECTS } from '../../core/present/void-view.ts'
import { formatHourStart, type Hour, next } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { type ExplainedEvent, explainEvent } from '../../flows/read/explain-event.ts'
import { accountOf } from '../access.ts'
import { optionalText, optionalTime, parameter, readHourRange } from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'
import { Nullable, NullableTime, Range, Text, Time } from '../api/views.ts'
import { Refused, refusedView } from './unbilled.ts'

const Voided = Type.Object({
  at: Time,
  by: Text,
  reason: Text,
  effect: Type.Enum([...VOID_EFFECTS]),
  cycle: Type.Object(Range.properties, { description: 'The hour among whose facts the void is' }),
  bill: Type.Union([Type.String(), Type.Null()], { description: 'The bill that gives it back' }),
  lines: Type.Array(Type.Integer()),
})

const Stored = Type.Object({
  event: Type.Object({}, { additionalProperties: true, description: 'The CloudEvent that was sent' }),
  receivedAt: Time,
  cycle: Type.Object(Range.properties, { description: 'The hour in whose bill it counts' }),
  late: Type.Boolean({ description: 'It counts in a later hour than the one in which it happened' }),
  outcome: Type.Enum(['accepted', 'conflict', 'held', 'rejected']),
  state: Type.Enum(['open', 'sealed', 'settled']),
  bill: Nullable,
  lines: Type.Array(Type.Integer()),
  voided: Type.Union([Voided, Type.Null()]),
  steps: Type.Array(Type.Object({ at: NullableTime, text: Text })),
})

export const getEvents = route({
  method: 'GET',
  url: '/v1/events',
  access: { scope: 'usage:read', boundKeys: 'own' },
  summary: 'What became of the events of an account with an id, step by step',
  query: Type.Object({
    account: optionalText('The subject of the events. Left out with a key that is bound to one'),
    id: parameter(Type.String({ minLength: 1 }), 'send the id of an event'),
    source: optionalText('Only events of this source'),
    from: optionalTime('Only events that happened in hours that start at this time or later'),
    to: optionalTime('Only events that happened in hours that start before this time'),
  }),
  answers: {
    200: Type.Object({
      stored: Type.Array(Stored, { description: 'One for each hour and source, latest first' }),
      refused: Type.Array(Refused, { description: 'Those that were not accepted, newest first' }),
    }),
  },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    if (account === undefined) {
      throw new HttpProblem('request/missing_parameter', 'The parameter account is missing: say whose event.')
    }
    const { id, source } = query
    const find = { account, id, source, ...readHourRange(query) }
    const { stored, refused } = await explainEvent(reading, find)
    return { stored: stored.map((event) => storedView(account, event)), refused: refused.map(refusedView) }
  },
})

function storedView(account: string, { copy, facts }: ExplainedEvent) {
  const { hour } = copy
  const { cycle } = facts
  return {
    event: cloudEventView(account, copy),
    receivedAt: formatInstant(copy.receivedAt),
    cycle: rangeOf(cycle),
    late: cycle > hour,
    outcome: facts.copyOf === null ? facts.assessment.outcome : 'conflict',
    state: facts.state,
    bill: facts.bill?.id ?? null,
    lines: facts.bill?.lines ?? [],
    voided: facts.voided && voidedView(facts.voided),
    steps: storyOf(facts),
  }
}

function voidedView(taken: VoidFacts) {
  const { cycle, orderedAt, orderedBy, reason, bill } = taken
  return {
    at: formatInstant(orderedAt),
    by: orderedBy,
    reason,
    effect: effectOf(taken),
    cycle: rangeOf(cycle),
    bill: bill?.id ?? null,
    lines: bill?.lines ?? [],
  }
}

function rangeOf(hour: Hour) {
  return { from: formatHourStart(hour), to: formatHourStart(next(hour)) }
}
