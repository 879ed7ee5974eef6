import type { ExportColumn, ExportRow, ExportTable } from './table.ts'

/** A row as a line of JSON. Decimals are strings, as everywhere in the API. */
export function jsonLine({ columns }: ExportTable, row: ExportRow): string {
  const members = columns.map(
    (column, index) => `${JSON.stringify(column.name)}:${valueOf(column, row[index]!)}`,
  )
  return `{${members.join(',')}}\n`
}

/** The row that `jsonLine` made a line of. */
export function readJsonLine({ columns }: ExportTable, line: string): ExportRow {
  const object = JSON.parse(line) as Readonly<Record<string, unknown>>
  return columns.map(({ name }) => {
    const value = object[name] ?? null
    if (value === null || typeof value === 'string') return value
    return JSON.stringify(value)
  })
}

function valueOf({ type }: ExportColumn, value: string | null): string {
  if (value === null) return 'null'
  return type === 'integer' || type === 'boolean' || type === 'json' ? value : JSON.stringify(value)
}
