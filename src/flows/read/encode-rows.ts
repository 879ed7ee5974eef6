import { csvHeader, csvLine } from '../../core/export/csv.ts'
import { jsonLine } from '../../core/export/jsonl.ts'
import type { ExportRow, ExportTable } from '../../core/export/table.ts'
import { PARQUET_GROUP_ROWS, parquetFile } from './parquet-file.ts'

export const EXPORT_FORMATS = ['jsonl', 'csv', 'parquet'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

type Rows = AsyncIterable<readonly ExportRow[]>

/** Rows as the bytes of a file, some at a time. The same rows are the same bytes, however they were portioned. */
export function encodeRows(
  table: ExportTable,
  format: ExportFormat,
  rows: Rows,
): AsyncGenerator<string | Uint8Array> {
  if (format === 'parquet') return parquetBytes(table, rows)
  return format === 'csv' ? csvText(table, rows) : jsonText(table, rows)
}

async function* csvText(table: ExportTable, rows: Rows): AsyncGenerator<string> {
  let head = csvHeader(table)
  for await (const some of rows) {
    yield head + some.map((row) => csvLine(table, row)).join('')
    head = ''
  }
  if (head !== '') yield head
}

async function* jsonText(table: ExportTable, rows: Rows): AsyncGenerator<string> {
  for await (const some of rows) if (some.length > 0) yield some.map((row) => jsonLine(table, row)).join('')
}

async function* parquetBytes(table: ExportTable, rows: Rows): AsyncGenerator<Uint8Array> {
  const file = parquetFile(table)
  for await (const group of inGroups(rows, PARQUET_GROUP_ROWS)) yield await file.add(group)
  yield file.end()
}

/** The same rows in groups of one size; the last one may be smaller. */
export async function* inGroups(rows: Rows, size: number): AsyncGenerator<readonly ExportRow[]> {
  let group: ExportRow[] = []
  for await (const some of rows) {
    for (const row of some) {
      group.push(row)
      if (group.length < size) continue
      yield group
      group = []
    }
  }
  if (group.length > 0) yield group
}
