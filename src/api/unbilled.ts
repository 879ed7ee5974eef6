import Type from 'typebox'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { optionalText, PageParameters } from './parameters.ts'
import { Nullable, Text, Time } from './views.ts'

export const HeldGroup = Type.Object({
  code: Text,
  subject: Type.String({ description: 'The operation or event type that is unknown' }),
  events: Type.Integer(),
  accounts: Type.Integer(),
  firstHour: Time,
  lastHour: Time,
  advice: Type.String({ description: 'What to do, so that they are billed' }),
})
export type HeldGroup = ValueOf<typeof HeldGroup>

export const HeldEvent = Type.Object({
  account: Text,
  id: Text,
  source: Text,
  hour: Time,
  code: Text,
  subject: Text,
  detail: Text,
  heldAt: Time,
})
export type HeldEvent = ValueOf<typeof HeldEvent>

export const RefusedEvent = Type.Object({
  number: Type.Integer({
    description: 'In the order in which they were refused first; those of one commit in any',
  }),
  times: Type.Integer({ description: 'How many there were that are equal in everything' }),
  firstAt: Time,
  lastAt: Time,
  outcome: Type.Enum(['rejected', 'conflict']),
  account: Nullable,
  source: Nullable,
  id: Nullable,
  code: Text,
  detail: Text,
  body: Type.String({ description: 'The beginning of what was sent' }),
})
export type RefusedEvent = ValueOf<typeof RefusedEvent>

export const RefusalCount = Type.Object({
  account: Type.Union([Type.String(), Type.Null()], {
    description: 'Null: it could not be read, or there are too many kinds to count this one by name',
  }),
  source: Nullable,
  code: Text,
  outcome: Type.Enum(['rejected', 'conflict']),
  times: Type.Integer(),
  firstAt: Time,
  lastAt: Time,
})
export type RefusalCount = ValueOf<typeof RefusalCount>

export const GetHeldGroups = endpoint({
  method: 'GET',
  url: '/v1/held-events',
  tag: 'Usage on no bill',
  summary:
    'Usage that cannot be priced yet, by reason. It is billed once a price book that covers it is published',
  description:
    'Groups held usage by reason, with counts and advice. It is billed once a price book that covers it is published.',
  query: Type.Object({ account: optionalText('Only usage of this account'), ...PageParameters }),
  answers: { 200: pageOf(HeldGroup) },
})

export const GetHeldEvents = endpoint({
  method: 'GET',
  url: '/v1/held-events/events',
  tag: 'Usage on no bill',
  summary: 'The held events one by one, or those of one reason',
  description: 'Lists held events. `code` and `subject` choose one reason.',
  query: Type.Object({
    account: optionalText('Only usage of this account'),
    code: optionalText('Only events held for this code'),
    subject: optionalText('Only events of this unknown operation or type'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(HeldEvent) },
})

export const GetRefusedEvents = endpoint({
  method: 'GET',
  url: '/v1/refused-events',
  tag: 'Usage on no bill',
  summary:
    'What was not accepted, equal ones once, newest first: rejected, or in conflict with an event that was there',
  description:
    'Lists examples of what was rejected or in conflict, with the reason and the beginning of what was sent. Equal refusals are one item.',
  query: Type.Object({ account: optionalText('Only events of this account'), ...PageParameters }),
  answers: { 200: pageOf(RefusedEvent) },
})

export const GetRefusalCounts = endpoint({
  method: 'GET',
  url: '/v1/refused-events/counts',
  tag: 'Usage on no bill',
  summary: 'How often what was refused, since the beginning, by account, source and code',
  description: 'Counts every refusal since the beginning, by account, source, code and outcome.',
  query: Type.Object({ account: optionalText('Only events of this account'), ...PageParameters }),
  answers: { 200: pageOf(RefusalCount) },
})
