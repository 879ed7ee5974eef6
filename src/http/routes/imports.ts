import { endImport, IMPORT_NAME, importStatus } from '../../flows/settle/imports.ts'
import { GetImport, PostImportEnd } from '../../api/imports.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'

/** What others wrote to would be shown, so a key of one account has no part in it: its backfill waits for quiet. */
const ACCESS = { scope: 'usage:write', boundKeys: 'none' } as const

export const postImportEnd = route({
  ...PostImportEnd,
  access: ACCESS,
  handle: ({ params: { name } }, { writing }) => endImport(writing, requireName(name)),
})

export const getImport = route({
  ...GetImport,
  access: ACCESS,
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
