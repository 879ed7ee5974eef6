import { type Column, type Fit, fitColumns, gapOf } from './fit-columns.ts'
import { cutTo, widthOf, wrapTo } from './text-width.ts'

export type { Column } from './fit-columns.ts'

/** What a line of text is for, so that a terminal can set it off. */
export type Role = 'title' | 'heading' | 'row' | 'note' | 'total' | 'mark' | 'plain'

export interface TextLine {
  readonly role: Role
  readonly text: string
  /** Where a sentence that is wider than the terminal goes on in the next line: blanks before it. */
  readonly hang?: number
}

/** A row of cells; a label across all columns but the last, with its cell there; or a line of text across all. */
export type Row =
  | { readonly role?: Role; readonly cells: readonly string[] }
  | { readonly role?: Role; readonly label: string; readonly cell: string }
  | TextLine

/**
 * Lay out rows below the headings of their columns. Lines end without blanks.
 * @param widthMax of the terminal. What has no room is cut, wrapped or left out, as the columns allow, and a note says so;
 *   when that is not enough, each row is a list of its cells
 */
export function textTable(
  columns: readonly Column[],
  rows: readonly Row[],
  widthMax = Number.POSITIVE_INFINITY,
): readonly TextLine[] {
  const cellsOf = columns.map((column, at) => {
    const cells = rows.map((row) => cellAt(row, at, columns.length))
    return column.align === 'decimal' ? alignPoints(cells) : cells
  })
  const widths = columns.map(({ heading }, at) => greatest([heading, ...cellsOf[at]!].map(widthOf)))
  const isTable = rows.every((row) => 'cells' in row || 'text' in row)
  const fit = fitColumns(columns, widths, widthMax)
  if (!fit && isTable) return rows.flatMap((row, index) => recordOf(columns, row, cellsOf, index))
  const { shown, widths: fitted } = fit ?? { shown: [...columns.keys()], widths }
  const table = layOut({ columns, shown, widths: makeRoom(columns, shown, fitted, rows) }, rows, cellsOf)
  return [...table, ...noteOn(columns, widths, { shown, widths: fitted }, widthMax)]
}

interface Layout extends Fit {
  readonly columns: readonly Column[]
}

function layOut(
  { columns, shown, widths }: Layout,
  rows: readonly Row[],
  cellsOf: readonly (readonly string[])[],
): readonly TextLine[] {
  const line = (cells: readonly string[]) =>
    shown
      .map((at, index) => {
        const column = columns[at]!
        return blanks(gapOf(column, index === 0)) + pad(cells[index]!, column, widths[index]!)
      })
      .join('')
      .trimEnd()
  const body = rows.flatMap((row, index): TextLine[] => {
    if ('text' in row) return [row]
    const role = row.role ?? 'row'
    const cells = shown.map((at) => cellsOf[at]![index]!)
    if ('label' in row) return [{ role, text: (row.label + line(cells).slice(widthOf(row.label))).trimEnd() }]
    return wrapCells(columns, shown, widths, cells).map((some) => ({ role, text: line(some) }))
  })
  const headings = shown.map((at) => columns[at]!.heading)
  if (headings.every((heading) => heading === '')) return body
  return [{ role: 'heading', text: line(headings) }, ...body]
}

/** The cells of a row, in as many lines as the longest one that wraps. */
function wrapCells(
  columns: readonly Column[],
  shown: readonly number[],
  widths: readonly number[],
  cells: readonly string[],
): readonly (readonly string[])[] {
  const wrapped = cells.map((cell, index) =>
    columns[shown[index]!]!.wraps ? wrapTo(cell, widths[index]!) : [cell],
  )
  const count = greatest(wrapped.map(({ length }) => length))
  return Array.from({ length: count }, (_, at) => wrapped.map((lines) => lines[at] ?? ''))
}

/** A row as a list of its cells, each after its heading: whole, however narrow the terminal is. */
function recordOf(
  columns: readonly Column[],
  row: Row,
  cellsOf: readonly (readonly string[])[],
  index: number,
): readonly TextLine[] {
  if ('text' in row) return [row]
  const width = greatest(columns.map(({ heading }) => widthOf(heading)))
  const lines = columns.flatMap(({ heading }, at): TextLine[] => {
    const cell = cellsOf[at]![index]!.trimEnd()
    if (cell === '') return []
    return [{ role: 'plain', text: `${padEnd(heading, width)}  ${cell}`, hang: width + 2 }]
  })
  return [...(index === 0 ? [] : [{ role: 'plain', text: '' } as const]), ...lines]
}

/** What of the table has no room, and where it is to be seen. */
function noteOn(
  columns: readonly Column[],
  widths: readonly number[],
  fit: Fit,
  widthMax: number,
): readonly TextLine[] {
  const dropped = columns.filter((_, at) => !fit.shown.includes(at)).map(({ heading }) => heading)
  const isCut = fit.shown.some((at, index) => columns[at]!.shrinks && fit.widths[index]! < widths[at]!)
  if (dropped.length === 0 && !isCut) return []
  const left = dropped.length === 0 ? '' : `Left out for lack of room: ${dropped.join('; ')}. `
  const cut = isCut ? 'Names that end with … are cut. ' : ''
  return wrapTo(`${left}${cut}Add --wide to see everything.`, widthMax).map((text) => ({
    role: 'note',
    text,
  }))
}

function cellAt(row: Row, at: number, columns: number): string {
  if ('cells' in row) return row.cells[at] ?? ''
  return 'label' in row && at === columns - 1 ? row.cell : ''
}

/** Pad fractions on the right to one length, so that right alignment puts all points below each other. */
function alignPoints(cells: readonly string[]): readonly string[] {
  const fractions = cells.map((cell) => (cell.includes('.') ? cell.length - cell.indexOf('.') : 0))
  const longest = greatest(fractions)
  return cells.map((cell, at) => (cell === '' ? '' : cell + blanks(longest - fractions[at]!)))
}

/** The first column of names takes what labels need more than the columns have. */
function makeRoom(
  columns: readonly Column[],
  shown: readonly number[],
  widths: readonly number[],
  rows: readonly Row[],
): readonly number[] {
  const labels = rows.map((row) => ('label' in row ? widthOf(row.label) + 1 : 0))
  const last = shown.length - 1
  const starts = shown.reduce(
    (sum, at, index) => sum + gapOf(columns[at]!, index === 0) + (index < last ? widths[index]! : 0),
    0,
  )
  const first = shown.findIndex((at) => columns[at]!.align === 'left')
  const more = Math.max(0, greatest(labels) - starts)
  return widths.map((width, index) => (index === first ? width + more : width))
}

function pad(cell: string, { align }: Column, width: number): string {
  const cut = cutTo(cell, width)
  const room = blanks(width - widthOf(cut))
  return align === 'left' ? cut + room : room + cut
}

function padEnd(text: string, width: number): string {
  return text + blanks(width - widthOf(text))
}

/** At least 0. A table may have more rows than a function takes arguments. */
export function greatest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 0)
}

function blanks(count: number): string {
  return ' '.repeat(Math.max(0, count))
}
