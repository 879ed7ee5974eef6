import Type from 'typebox'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { optionalText, optionalTime, PageParameters } from './parameters.ts'
import { Nullable, Text, Time } from './views.ts'

export const SilentSource = Type.Object({
  source: Text,
  lastHour: Type.String({ format: 'date-time', description: 'The newest hour of which it has usage' }),
  silentSince: Type.String({ format: 'date-time', description: 'The first hour in which it was missed' }),
  acknowledgedBy: Type.Union([Nullable], { description: 'The key that said that this is right' }),
})
export type SilentSource = ValueOf<typeof SilentSource>

export const Acknowledgement = Type.Object({ source: Type.String() }, { additionalProperties: false })

export const GetSilentSources = endpoint({
  method: 'GET',
  url: '/v1/sources/silent',
  summary: 'Sources that usually report, and have sent nothing',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(SilentSource) },
})

export const PostAcknowledgement = endpoint({
  method: 'POST',
  url: '/v1/sources/silent/acknowledge',
  summary: 'Say that a source is silent with good reason: it is no warning any more, until it reports again',
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
  summary: 'Which sources send late: their events and lines by the hour in which the usage happened',
  query: Type.Object({
    account: optionalText('Only usage of this account'),
    from: optionalTime('Hours that start at this time or later; by default a day before `to`'),
    to: optionalTime('Hours that start before this time; by default the end of this hour'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(SourceShare) },
})
