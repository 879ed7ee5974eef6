import { headingOf, shownComponents, type SoldComponents } from './bill-components.ts'
import { billHeadLines } from './bill-head-lines.ts'
import { correctionTitle, notesOn, type TermsOf } from './bill-line-notes.ts'
import type { BillView, LineView } from './bill-view.ts'
import { multipliesOut } from './line-formula.ts'
import { countOf, readableNumber, readablePer, safeText } from './readable-text.ts'
import { type Column, greatest, type Row, textTable, type TextLine } from './text-table.ts'
import { widthOf } from './text-width.ts'

export interface BillTableOptions {
  /** The price book's rule of a line, if it is at hand: explains free prices and waived statuses. */
  readonly termsOf?: TermsOf | undefined
  /** What the price book has items for; all components without it. */
  readonly sold?: SoldComponents | undefined
  /** Also stored data in base units, and digests in full. */
  readonly verbose?: boolean
  readonly widthMax?: number | undefined
}

/**
 * A bill as a person reads it: every line as quantity × unit price = amount, with all points below each other; what
 * was counted and not billed in words; what each component and the whole come to. Where the quantity or the amount is
 * rounded, `≈` stands for `=`, and the exact formula below the line. On a terminal that is too narrow for that, names
 * stand above their formula, and then what was used does too: nothing is cut.
 */
export function billTable(bill: BillView, options: BillTableOptions = {}): readonly TextLine[] {
  const head = billHeadLines(bill, options.verbose ?? false)
  const [names, formula] = [nameParts(bill.lines), formulaParts(bill, options.verbose ?? false)]
  const widthMax = options.widthMax ?? Number.POSITIVE_INFINITY
  const wide = layOut(bill, [...names, ...formula], options, () => [])
  if (widestRow(wide) <= widthMax) return [...head, gap(), ...wide]
  const narrow = stacked(bill, names, formula, options)
  if (widestRow(narrow) <= widthMax) return [...head, gap(), ...narrow]
  const [used, ...rest] = formula
  return [...head, gap(), ...stacked(bill, [...names, used!], rest, options)]
}

function widestRow(lines: readonly TextLine[]): number {
  return greatest(lines.filter(({ role }) => role === 'row').map(({ text }) => widthOf(text)))
}

/** Some parts stand above the others, with commas between them. */
function stacked(
  bill: BillView,
  upper: readonly Part[],
  [first, ...others]: readonly Part[],
  options: BillTableOptions,
): readonly TextLine[] {
  const indented = { ...first!, column: { ...first!.column, gap: 5 } }
  return layOut(bill, [indented, ...others], options, (line) => {
    const parts = upper.map(({ cell }) => cell(line)).filter((text) => text !== '')
    return [{ role: 'row', text: `  ${parts[0]}  ${parts.slice(1).join(', ')}` }]
  })
}

/** @param above what stands above the cells of a line */
function layOut(
  bill: BillView,
  parts: readonly Part[],
  { termsOf, sold }: BillTableOptions,
  above: (line: LineView) => readonly Row[],
): readonly TextLine[] {
  const rows = bill.lines.flatMap((line, index): Row[] => {
    const before = bill.lines[index - 1]
    return [
      ...(startsGroup(line, before) ? [gap(), titleOf(line, sold)] : []),
      ...above(line),
      { cells: parts.map(({ cell }) => cell(line)) },
      ...notesOn(line, before, termsOf?.(line)).map(noteRow),
    ]
  })
  const columns = parts.map(({ column }) => column)
  return textTable(columns, [...rows, gap(), ...totalRows(bill, sold)])
}

interface Part {
  readonly column: Column
  readonly cell: (line: LineView) => string
}

/** What a line is for. Columns that would be empty on every line are left out. */
function nameParts(lines: readonly LineView[]): readonly Part[] {
  const name = (heading: string, cell: Part['cell']): Part => ({
    column: { heading, align: 'left' },
    cell: (line) => safeText(cell(line)),
  })
  const optional = ['operation', 'project', 'region'] as const
  const shown = optional.filter((field) => lines.some((line) => line[field] !== null))
  return [
    { column: { heading: '#', align: 'right', gap: 2 }, cell: ({ number }) => String(number) },
    name('Item', ({ item, rate }) => (rate === 'default' ? item : `${item}/${rate}`)),
    ...shown.map((field) => name(`${field[0]!.toUpperCase()}${field.slice(1)}`, (line) => line[field] ?? '')),
  ]
}

/** What was used, and quantity × unit price per unit = amount. */
function formulaParts({ currency }: BillView, verbose: boolean): readonly Part[] {
  const sign = (cell: Part['cell']): Part => ({ column: { heading: '', align: 'left', gap: 1 }, cell })
  return [
    {
      column: { heading: 'Used', align: 'right' },
      // Byte-milliseconds say nothing to a reader: what was stored stands under Quantity.
      cell: ({ component, quantity, unit }) =>
        component === 'storage' && !verbose ? '' : countOf(quantity, safeText(unit)),
    },
    decimals('Quantity', 'pricingQuantity', 2),
    sign(() => '×'),
    decimals('Unit price', 'unitPrice', 1),
    sign(({ pricingUnit }) => `per ${readablePer(safeText(pricingUnit))}`),
    sign((line) => (multipliesOut(line) ? '=' : '≈')),
    decimals(`Amount ${currency}`, 'amount', 1),
  ]
}

function decimals(heading: string, field: 'pricingQuantity' | 'unitPrice' | 'amount', space: number): Part {
  return { column: { heading, align: 'decimal', gap: space }, cell: (line) => readableNumber(line[field]) }
}

/** Lines come in order: own hour first, then older ones; in each by component. */
function startsGroup(line: LineView, before: LineView | undefined): boolean {
  return before?.component !== line.component || before.usageHour !== line.usageHour
}

function titleOf(line: LineView, sold: BillTableOptions['sold']): TextLine {
  const title = headingOf(line.component, sold)
  return { role: 'title', text: line.correction ? `${title} ${correctionTitle(line)}` : title }
}

function totalRows(bill: BillView, sold: BillTableOptions['sold']): readonly Row[] {
  const { components, currency, total, lines } = bill
  const shown = sold && new Set([...sold.keys(), ...lines.map(({ component }) => component)])
  return [
    ...shownComponents([bill], shown).map((component) =>
      totalRow('row', headingOf(component, sold), components[component]),
    ),
    totalRow('total', `Total ${currency}`, total),
  ]
}

function totalRow(role: 'row' | 'total', label: string, amount: string): Row {
  return { role, label: `   ${label}`, cell: readableNumber(amount) }
}

function noteRow(text: string): TextLine {
  return { role: 'note', text: `      ${text}` }
}

function gap(): TextLine {
  return { role: 'plain', text: '' }
}
