import type { ExportColumn, ExportRow, ExportTable } from './table.ts'

/** What a spreadsheet takes for the beginning of a formula, also in the wide forms of East Asia; and our own mark. */
const FORMULA = /^[=+\-@\t\r\n'＝＋－＠]/

/** The first line: RFC 4180, with CRLF. */
export function csvHeader({ columns }: ExportTable): string {
  return line(columns.map(({ name }) => name))
}

/**
 * A line of CSV. A text is always quoted, and nothing else is: so an empty text is `""`, and null is nothing. A text that a
 * spreadsheet would run gets an apostrophe before it, and so does one that begins with an apostrophe: who reads
 * the file for a program takes one away. Numbers are plain decimals, so a minus stays one.
 */
export function csvLine({ columns }: ExportTable, row: ExportRow): string {
  return line(row.map((value, index) => (value === null ? '' : cell(columns[index]!, value))))
}

function cell({ type }: ExportColumn, value: string): string {
  if (type !== 'text' && type !== 'json') return value
  const safe = FORMULA.test(value) ? `'${value}` : value
  return `"${safe.replaceAll('"', '""')}"`
}

function line(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`
}
