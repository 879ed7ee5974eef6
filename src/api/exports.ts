import Type from 'typebox'
import { FOCUS_VERSIONS } from '../core/export/focus-columns.ts'
import { EXPORT_FORMATS } from '../flows/read/encode-rows.ts'
import { endpoint } from './endpoint.ts'
import { optionalText, parameter } from './parameters.ts'

/** Content types of an export, by format. */
export const EXPORT_TYPES = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
} as const

/** The first and the last form of a bound: both bounds are of the same one. */
const Bound = (description: string) =>
  Type.Optional(
    parameter(
      Type.String({ minLength: 1, description, examples: ['2025-07'] }),
      'send a statement month such as 2025-07, or the time of a cycle such as 2025-07-28T09Z',
    ),
  )

const ExportParameters = {
  from: Bound('The first statement month, or the first time at which cycles start'),
  to: Bound('The statement month, or the time, before which the export ends'),
  account: optionalText('Only charges of this account'),
  format: Type.Optional(
    parameter(
      Type.Enum([...EXPORT_FORMATS], { default: 'jsonl', description: 'The form of the answer' }),
      `send ${EXPORT_FORMATS.join(', ')}`,
    ),
  ),
  after: Type.Optional(
    parameter(
      Type.String({
        minLength: 1,
        description: 'Continue behind this line: the id of its bill, a colon, its number',
        examples: ['2025-07-28T03Z.acme:17'],
      }),
      'send the id of a bill, a colon and the number of a line, such as 2025-07-28T03Z.acme:17',
    ),
  ),
}

const FILES = Object.values(EXPORT_TYPES).map((type) => type.split(';')[0]!)

export const GetFocusCharges = endpoint({
  method: 'GET',
  url: '/v1/focus/charges',
  tag: 'Exports',
  summary: 'Charges as FOCUS has them, one for each line of a bill',
  description:
    'Streams all charges of statement months, or of cycles, in the columns of a version of FOCUS. To continue an answer that broke off, name its last complete line in `after`.',
  query: Type.Object({
    version: Type.Optional(
      parameter(
        Type.Enum([...FOCUS_VERSIONS], { default: '1.2', description: 'Of FOCUS' }),
        `send ${FOCUS_VERSIONS.join(', ')}`,
      ),
    ),
    ...ExportParameters,
  }),
  refusals: [422, 429],
  files: FILES,
  answers: { 200: Type.String() },
})

export const GetExportedLines = endpoint({
  method: 'GET',
  url: '/v1/exports/lines',
  tag: 'Exports',
  summary: 'Lines of all bills of a range, for a warehouse',
  description:
    'Streams all lines of statement months, or of cycles, with what their bills say. To continue an answer that broke off, name its last complete line in `after`.',
  query: Type.Object(ExportParameters),
  refusals: [422, 429],
  files: FILES,
  answers: { 200: Type.String() },
})
