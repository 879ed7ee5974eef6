import Type from 'typebox'
import { endImport, IMPORT_NAME, importStatus } from '../../flows/settle/imports.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'
import { Text, Time } from '../api/views.ts'

/** What others wrote to would be shown, so a key of one account has no part in it: its history waits for quiet. */
const ACCESS = { scope: 'usage:write', boundKeys: 'none' } as const

const params = Type.Object({ name: Text })

const Status = Type.Object(
  {
    settling: Type.Integer({ description: 'Account-hours whose bills are being made' }),
    open: Type.Integer({ description: 'Account-hours that are not sealed yet' }),
    shared: Type.Array(Type.Object({ account: Text, hour: Time }), {
      description: 'Some of the open ones that others wrote to as well',
    }),
  },
  { description: 'Past account-hours of the import that have no bill yet. All 0: it is billed.' },
)

export const postImportEnd = route({
  method: 'POST',
  url: '/v1/imports/:name/end',
  access: ACCESS,
  summary:
    'The import has sent all: seal the past hours that it alone wrote to, so that they are billed at once',
  params,
  answers: { 200: Status },
  handle: ({ params: { name } }, { writing }) => endImport(writing, requireName(name)),
})

export const getImport = route({
  method: 'GET',
  url: '/v1/imports/:name',
  access: ACCESS,
  summary: 'How many past account-hours of an import have no bill yet',
  params,
  answers: { 200: Status },
  handle: ({ params: { name } }, { reading }) => importStatus(reading, requireName(name)),
})

/** The name that the deliveries of an import carry in the header `Farthing-Import`. */
export function requireName(name: string): string {
  if (IMPORT_NAME.test(name)) return name
  throw new HttpProblem(
    'request/invalid_parameter',
    'The name of an import is 8 to 64 characters of A-Z a-z 0-9 and -: use a UUID.',
  )
}
