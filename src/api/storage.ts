import Type from 'typebox'
import { endpoint, type ValueOf } from './endpoint.ts'
import { optionalText, PageParameters } from './parameters.ts'
import { Decimal, Nullable, Text, Time } from './views.ts'

export const StoredLevel = Type.Object({
  project: Nullable,
  dataset: Nullable,
  region: Nullable,
  bytes: Decimal,
  since: Type.String({ format: 'date-time', description: 'The time of the event that announced the level' }),
  ageSeconds: Type.Integer({ description: 'From then until `asOf`: so long nothing was reported' }),
  source: Text,
  id: Text,
})
export type StoredLevel = ValueOf<typeof StoredLevel>

export const GetStorage = endpoint({
  method: 'GET',
  url: '/v1/storage',
  tag: 'Usage',
  summary: 'What an account stores now, and since when, by project, dataset and region',
  description:
    'Lists the level of stored data that is in force for each series. A level is charged every hour until the next one.',
  refusals: [422],
  query: Type.Object({
    account: optionalText('Whose data. Left out with a key that is bound to one'),
    ...PageParameters,
  }),
  answers: { 200: Type.Object({ items: Type.Array(StoredLevel), next: Nullable, asOf: Time }) },
})
