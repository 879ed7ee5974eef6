import Type from 'typebox'
import { VOID_EFFECTS } from '../core/present/void-view.ts'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { optionalText, optionalTime, PageParameters, parameter } from './parameters.ts'
import { Decimal, Nullable, NullableTime, Range, Text, Time } from './views.ts'

/** Characters of a name in an order: longer than any id. */
const NAME_LENGTH_MAX = 512

const Name = (description: string) => Type.String({ minLength: 1, maxLength: NAME_LENGTH_MAX, description })

export const VoidOrder = Type.Object(
  {
    account: Name('Whose events'),
    id: Type.Optional(Name('All events of this id, under whatever time. Or a range, but not both')),
    source: Type.Optional(Name('Only events of this source')),
    from: Type.Optional(Type.String({ description: 'Usage of this time or later. Of an id: of its hour' })),
    to: Type.Optional(Type.String({ description: 'Usage before this time. Of an id: before its hour' })),
    type: Type.Optional(Name('Of a range: only events of this type')),
    operation: Type.Optional(Name('Of a range: only usage of this operation')),
    project: Type.Optional(Name('Of a range: only usage of this project')),
    status: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 599, description: 'Of a range: only requests answered so' }),
    ),
    reason: Type.Optional(Type.String({ description: 'Why: one line, kept with each event' })),
  },
  { additionalProperties: false },
)
export type VoidOrder = ValueOf<typeof VoidOrder>

export const VoidedPart = Type.Object({
  account: Text,
  dryRun: Type.Boolean(),
  events: Type.Integer({ description: 'Events that are meant, in this part of the order' }),
  voided: Type.Integer({ description: 'Voided now; in a dry run: would be voided' }),
  alreadyVoided: Type.Integer({ description: 'Were voided before: nothing changes' }),
  held: Type.Integer({ description: 'Of those voided: had no price' }),
  duplicates: Type.Integer({ description: 'Of those voided: another event of the identity counts' }),
  levels: Type.Integer({ description: 'Of those voided: stored data, whose hours are computed again' }),
  storage: Type.Union([Decimal, Type.Null()], {
    description:
      'What these change in settled hours, below 0 when less is charged. In a dry run of several parts the last one says it for all, and those before it with levels say null. Otherwise null: the next bill says it',
  }),
  givenBack: Decimal,
  notBilled: Decimal,
  currency: Text,
  doneUntil: NullableTime,
  next: Nullable,
})
export type VoidedPart = ValueOf<typeof VoidedPart>

export const Void = Type.Object({
  account: Text,
  id: Text,
  source: Text,
  hour: Time,
  effect: Type.Enum([...VOID_EFFECTS]),
  cycle: Type.Object(Range.properties, { description: 'The hour among whose facts the void is' }),
  counted: NullableTime,
  orderedAt: Time,
  orderedBy: Text,
  reason: Text,
  bill: Nullable,
})
export type Void = ValueOf<typeof Void>

export const PostVoids = endpoint({
  method: 'POST',
  url: '/v1/voids',
  idempotent: true,
  tag: 'Voids',
  summary: 'Void usage: an event, or a range. With dryRun=true: say what that would come to',
  description:
    'Takes events back: they are kept, their identities stay taken, and they count no more. A call does a part of the order: while `next` is not null, send the same body again with `cursor` set to it.',
  refusals: [422],
  query: Type.Object({
    dryRun: Type.Optional(
      parameter(Type.Enum(['true', 'false'], { description: 'Change nothing' }), 'send true or false'),
    ),
    cursor: PageParameters.cursor,
  }),
  body: { 'application/json': VoidOrder },
  answers: { 200: VoidedPart },
})

export const GetVoids = endpoint({
  method: 'GET',
  url: '/v1/voids',
  tag: 'Voids',
  summary: 'Usage that was voided, by usage hour: by whom, why, and what became of it',
  description: 'Lists voided events, with who ordered it, why, and what became of it.',
  query: Type.Object({
    account: optionalText('Only events of this account'),
    from: optionalTime('Only events that happened in hours that start at this time or later'),
    to: optionalTime('Only events that happened in hours that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(Void) },
})
