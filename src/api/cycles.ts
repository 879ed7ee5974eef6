import Type from 'typebox'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { optionalTime, PageParameters } from './parameters.ts'
import { NullableTime, Range, Text, Time } from './views.ts'

export const Cycle = Type.Object({
  cycle: Range,
  endedAt: Type.Union([Time, Type.Null()], { description: 'Null while the hour lasts' }),
  sealingDueAt: Type.String({ format: 'date-time', description: 'Its end and the grace of this server' }),
  state: Type.Enum(['open', 'sealed', 'settled']),
  sealedAt: NullableTime,
  settledAt: Type.Union([Time, Type.Null()], { description: 'When its last bill was issued' }),
  lagSeconds: Type.Union([Type.Number(), Type.Null()], {
    description:
      'From the end of the hour to its last bill; so far, if it has none; null while the hour lasts',
  }),
  late: Type.Boolean({ description: 'Its bills came, or will come, more than an hour after its end' }),
  inDanger: Type.Boolean({ description: 'It ended more than 30 minutes ago, and has no bills' }),
  sealedAhead: Type.Boolean({
    description:
      'It is sealed, and the database clock has not come to its end: the clock was ahead, and has been set back',
  }),
  bills: Type.Union([Type.Integer(), Type.Null()], {
    description:
      'Of all accounts, with those made later of past usage; null without bills, and for a bound key',
  }),
  corrections: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Their lines that correct an older hour',
  }),
  priceVersion: Type.Union([Type.Integer(), Type.Null()]),
  manifests: Type.Union(
    [
      Type.Object({
        announced: Type.Integer({ description: 'Sources that have announced the hour' }),
        missing: Type.Integer({ description: 'Those of which fewer events are stored' }),
        surplus: Type.Integer({ description: 'Those of which more are' }),
        uncounted: Type.Integer({ description: 'Those that are counted when the hour is sealed' }),
      }),
      Type.Null(),
    ],
    { description: 'As it was counted last; null for a bound key' },
  ),
})
export type Cycle = ValueOf<typeof Cycle>

export const GetCycles = endpoint({
  method: 'GET',
  url: '/v1/cycles',
  tag: 'Hours',
  summary: 'The hours since the first start, newest first: which are sealed, and which have their bills',
  description:
    'Lists the hours and their state: `open` takes usage, `sealed` can no longer change, `settled` has its bills. Each says when that happened, and whether its bills are late or in danger.',
  query: Type.Object({
    from: optionalTime('Only hours that start at this time or later'),
    to: optionalTime('Only hours that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(Cycle) },
})

const NullableCount = Type.Union([Type.Integer(), Type.Null()])

export const SourceOfHour = Type.Object({
  source: Text,
  state: Type.Enum(['equal', 'missing', 'surplus', 'unannounced'], {
    description: 'What arrived, against what was announced',
  }),
  announced: Type.Union([Type.Integer(), Type.Null()], { description: 'By its newest manifest' }),
  arrived: Type.Integer({ description: 'Stored events of this usage hour, whatever became of them' }),
  late: Type.Integer({ description: 'Those of them that count in a later hour' }),
  difference: Type.Union([Type.Integer(), Type.Null()], { description: 'Arrived less announced' }),
  announcedAt: NullableTime,
  version: NullableCount,
})
export type SourceOfHour = ValueOf<typeof SourceOfHour>

export const GetHourSources = endpoint({
  method: 'GET',
  url: '/v1/cycles/:hour/sources',
  tag: 'Sources',
  summary: 'What sources have announced of an hour, and what has arrived until now',
  description:
    'Compares, for each source of an hour, the events that it has announced with those that are stored. It reads every event of the hour.',
  params: Type.Object({ hour: Text }),
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(SourceOfHour) },
})
