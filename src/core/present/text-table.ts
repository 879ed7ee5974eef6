/** What a line of text is for, so that a terminal can set it off. */
export type Role = 'title' | 'heading' | 'row' | 'note' | 'total' | 'mark' | 'plain'

export interface TextLine {
  readonly role: Role
  readonly text: string
}

export interface Column {
  /** Empty for the signs between the numbers of a formula. */
  readonly heading: string
  /** `decimal` puts the points of all cells below each other. */
  readonly align: 'left' | 'right' | 'decimal'
  /** Blanks before it: 2 if not given. */
  readonly gap?: number
  /** May be cut on a narrow terminal. Names only: a number is never cut. */
  readonly shrinks?: true
}

/** A row of cells; a label across all columns but the last, with its cell there; or a line of text across all. */
export type Row =
  | { readonly role?: Role; readonly cells: readonly string[] }
  | { readonly role?: Role; readonly label: string; readonly cell: string }
  | TextLine

/** No column of names gets narrower than this: less says nothing. */
const SHRUNK_MIN = 8
const GAP = 2

/**
 * Lay out rows below the headings of their columns. Lines end without blanks.
 * @param widthMax of the terminal; columns that may shrink are cut to it as far as possible
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
  shrink(columns, widths, widthMax)
  makeRoom(columns, widths, rows)
  const line = (cells: readonly string[]) =>
    columns.map((column, at) => blanks(gapOf(column, at)) + pad(cells[at]!, column, widths[at]!)).join('')
  const body = rows.map((row, index): TextLine => {
    if ('text' in row) return row
    const text = line(cellsOf.map((cells) => cells[index]!))
    const labelled = 'label' in row ? row.label + text.slice(widthOf(row.label)) : text
    return { role: row.role ?? 'row', text: labelled.trimEnd() }
  })
  const headings = columns.map(({ heading }) => heading)
  if (headings.every((heading) => heading === '')) return body
  return [{ role: 'heading', text: line(headings).trimEnd() }, ...body]
}

function cellAt(row: Row, at: number, columns: number): string {
  if ('cells' in row) return row.cells[at] ?? ''
  return 'label' in row && at === columns - 1 ? row.cell : ''
}

function gapOf({ gap }: Column, at: number): number {
  return gap ?? (at === 0 ? 0 : GAP)
}

/** Pad fractions on the right to one length, so that right alignment puts all points below each other. */
function alignPoints(cells: readonly string[]): readonly string[] {
  const fractions = cells.map((cell) => (cell.includes('.') ? cell.length - cell.indexOf('.') : 0))
  const longest = greatest(fractions)
  return cells.map((cell, at) => (cell === '' ? '' : cell + blanks(longest - fractions[at]!)))
}

function shrink(columns: readonly Column[], widths: number[], widthMax: number): void {
  const gaps = columns.map(gapOf)
  let excess = [...widths, ...gaps].reduce((sum, width) => sum + width, 0) - widthMax
  while (excess > 0) {
    // The widest first, one character at a time: short names stay whole as long as they can.
    const widest = columns
      .map((column, at) => ({ at, width: column.shrinks ? widths[at]! : 0 }))
      .reduce((a, b) => (b.width > a.width ? b : a))
    if (widest.width <= SHRUNK_MIN) return
    widths[widest.at]! -= 1
    excess -= 1
  }
}

/** The first column of names takes what labels need more than the columns have. */
function makeRoom(columns: readonly Column[], widths: number[], rows: readonly Row[]): void {
  const labels = rows.map((row) => ('label' in row ? widthOf(row.label) + 1 : 0))
  const last = columns.length - 1
  const starts = columns.reduce(
    (sum, column, at) => sum + gapOf(column, at) + (at < last ? widths[at]! : 0),
    0,
  )
  const first = columns.findIndex(({ align }) => align === 'left')
  if (first !== -1) widths[first]! += Math.max(0, greatest(labels) - starts)
}

function pad(cell: string, { align }: Column, width: number): string {
  const cut = cutTo(cell, width)
  const room = blanks(width - widthOf(cut))
  return align === 'left' ? cut + room : room + cut
}

function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let cut = ''
  for (const character of text) {
    if (widthOf(cut + character) >= width) break
    cut += character
  }
  return `${cut}…`
}

/** At least 0. A table may have more rows than a function takes arguments. */
export function greatest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 0)
}

function blanks(count: number): string {
  return ' '.repeat(Math.max(0, count))
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const ASCII = /^[ -~]*$/

/** Columns that a text takes in a terminal: East Asian characters and emoji take two, combining marks none. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const character of text) width += WIDE.test(character) ? 2 : ZERO_WIDTH.test(character) ? 0 : 1
  return width
}
