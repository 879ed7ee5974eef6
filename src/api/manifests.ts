import Type from 'typebox'
import { endpoint, pageOf } from './endpoint.ts'
import { optionalText, optionalTime, PageParameters } from './parameters.ts'
import { Text, Time } from './views.ts'

export const Announcement = Type.Object(
  {
    source: Type.String({ description: 'The source of the events, as they name it' }),
    hour: Type.String({
      description: 'The hour of the usage: its first instant',
      examples: ['2025-07-28T03Z'],
    }),
    events: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'How many different events of this hour it has sent, or will have sent',
    }),
  },
  { additionalProperties: false },
)

const Manifest = Type.Object({
  hour: Time,
  source: Text,
  version: Type.Integer({ minimum: 1, description: 'The newest one of an hour and source counts' }),
  events: Type.Integer(),
  announcedAt: Time,
  announcedBy: Type.String({ description: 'The id of the key' }),
})

export const PostManifest = endpoint({
  method: 'POST',
  url: '/v1/manifests',
  idempotent: true,
  tag: 'Sources',
  summary: 'Announce how many events of an hour a source has sent, so that missing ones are noticed',
  description:
    'Announces how many different events of an hour a source has sent. What is missing or too much is shown for each hour. A manifest changes no bill.',
  body: { 'application/json': Announcement },
  answers: { 200: Announcement, 201: Announcement },
})

export const GetManifests = endpoint({
  method: 'GET',
  url: '/v1/manifests',
  tag: 'Sources',
  summary: 'Everything that sources have announced, with what they said before',
  description:
    'Lists every version of every manifest, by hour and source. The newest version of an hour and source counts.',
  query: Type.Object({
    source: optionalText('Only of this source'),
    from: optionalTime('Only of hours that start at this time or later'),
    to: optionalTime('Only of hours that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(Manifest) },
})
