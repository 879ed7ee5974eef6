import type { Readable } from 'node:stream'
import { EXPORT_TYPES, GetExportedLines, GetFocusCharges } from '../../api/exports.ts'
import type { Key } from '../../flows/keys/key-scopes.ts'
import { encodeRows, type ExportFormat } from '../../flows/read/encode-rows.ts'
import { type ExportKind, exportRows, tableOfExport } from '../../flows/read/export-rows.ts'
import { accountOf } from '../access.ts'
import { readAfter, readExportRange } from '../api/export-question.ts'
import { type Call, type HttpContext, route } from '../route.ts'
import { streamExport } from '../stream-export.ts'
import { READ_BILLS } from './bills.ts'

export const getFocusCharges = route({
  ...GetFocusCharges,
  access: READ_BILLS,
  handle: (call, context) => answer({ kind: 'focus', version: call.query.version ?? '1.2' }, call, context),
})

export const getExportedLines = route({
  ...GetExportedLines,
  access: READ_BILLS,
  handle: (call, context) => answer({ kind: 'lines' }, call, context),
})

interface Query {
  readonly from?: string
  readonly to?: string
  readonly account?: string
  readonly format?: ExportFormat
  readonly after?: string
}

async function answer(kind: ExportKind, call: Call<Query, object>, context: HttpContext): Promise<Readable> {
  const { query, reply } = call
  const key: Key = call.key!
  const account = accountOf(key, query.account)
  const range = readExportRange(query)
  const after = await readAfter(context.reading, query.after, { key, account })
  const { format = 'jsonl' } = query
  const name = kind.kind === 'lines' ? 'lines' : `charges-${kind.version}`
  void reply.type(EXPORT_TYPES[format])
  void reply.header('content-disposition', `attachment; filename="${name}.${format}"`)
  return streamExport(call, context, (sql) =>
    encodeRows(tableOfExport(kind), format, exportRows(sql, kind, { account, range, after })),
  )
}
