import Type from 'typebox'
import { endpoint, type ValueOf } from './endpoint.ts'
import { Text, Time } from './views.ts'

const params = Type.Object({ name: Text })

export const ImportStatus = Type.Object(
  {
    settling: Type.Integer({ description: 'Account-hours whose bills are being made' }),
    open: Type.Integer({ description: 'Account-hours that are not sealed yet' }),
    shared: Type.Array(Type.Object({ account: Text, hour: Time }), {
      description: 'Some of the open ones that others wrote to as well',
    }),
  },
  { description: 'Past account-hours of the import that have no bill yet. All 0: it is billed.' },
)
export type ImportStatus = ValueOf<typeof ImportStatus>

export const PostImportEnd = endpoint({
  method: 'POST',
  url: '/v1/imports/:name/end',
  tag: 'Imports',
  summary:
    'The import has sent all: seal the past hours that it alone wrote to, so that they are billed at once',
  description:
    'Ends an import whose deliveries had the header `Farthing-Import`. Past hours that it alone wrote to are sealed and billed now, without waiting for quiet.',
  params,
  answers: { 200: ImportStatus },
})

export const GetImport = endpoint({
  method: 'GET',
  url: '/v1/imports/:name',
  tag: 'Imports',
  summary: 'How many past account-hours of an import have no bill yet',
  description:
    'Counts the past account-hours of an import that have no bill yet. All counts are 0 when it is billed.',
  params,
  answers: { 200: ImportStatus },
})
