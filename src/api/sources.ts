import Type from 'typebox'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { optionalText, optionalTime, PageParameters } from './parameters.ts'
import { Nullable, Text, Time } from './views.ts'

export const SilentSource = Type.Object({
  source: Text,
  lastHour: Type.String({ format: 'date-time', description: 'The newest hour of which it has usage' }),
  silentSince: Type.String({ format: 'date-time', description: 'The first hour in which it was missed' }),
  acknowledgedBy: Type.Union([...Nullable.anyOf], { description: 'The key that said that this is right' }),
})
export type SilentSource = ValueOf<typeof SilentSource>

export const Acknowledgement = Type.Object({ source: Type.String() }, { additionalProperties: false })

export const GetSilentSources = endpoint({
  method: 'GET',
  url: '/v1/sources/silent',
  tag: 'Sources',
  summary: 'Sources that usually report, and have sent nothing',
  description:
    'Lists sources that usually report and have no events of an hour that was sealed. An outage of metering must not look like usage of zero.',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(SilentSource) },
})

export const PostAcknowledgement = endpoint({
  method: 'POST',
  url: '/v1/sources/silent/acknowledge',
  tag: 'Sources',
  summary: 'Say that a source is silent with good reason: it is no warning any more, until it reports again',
  description:
    'Watermarks a silent source as stopped on purpose. It stays listed, and is no warning any more until it reports again.',
  refusals: [404],
  body: { 'application/json': Acknowledgement },
  answers: { 200: Acknowledgement },
})

export const SourceShare = Type.Object({
  source: Text,
  events: Type.Integer({ description: 'Its events of these hours' }),
  lateEvents: Type.Integer({ description: 'Those that count in a later hour than their own' }),
  lines: Type.Integer({ description: 'Lines of bills that its events are behind' }),
  correctionLines: Type.Integer({ description: 'Those that correct an older hour' }),
  share: Type.Number({
    minimum: 0,
    maximum: 1,
    description: 'correctionLines of lines, rounded to 4 digits',
  }),
  silentSince: Type.Union([Time, Type.Null()], {
    description:
      'It usually reports, and has sent nothing since this hour; null: it has; and for a bound key',
  }),
})
export type SourceShare = ValueOf<typeof SourceShare>

export const GetSources = endpoint({
  method: 'GET',
  url: '/v1/sources',
  tag: 'Sources',
  summary: 'Which sources send late: their events and lines by the hour in which the usage happened',
  description:
    'Counts events and lines of each source over some hours, the last day unless told, 31 days at most. `share` says which part of its lines had to be corrections.',
  refusals: [422],
  query: Type.Object({
    account: optionalText('Only usage of this account'),
    from: optionalTime('Hours that start at this time or later; by default a day before `to`'),
    to: optionalTime('Hours that start before this time; by default the end of this hour'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(SourceShare) },
})
