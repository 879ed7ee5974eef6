import type { Component } from '../rate/price-book.ts'
import { billHeadLines } from './bill-head-lines.ts'
import { correctionTitle, notesOn, type TermsOf } from './bill-line-notes.ts'
import type { billView, lineView } from './bill-view.ts'
import { countOf, readableNumber, readablePer, safeText } from './readable-text.ts'
import { type Column, type Row, textTable, type TextLine } from './text-table.ts'

export type BillView = ReturnType<typeof billView>
export type LineView = ReturnType<typeof lineView>

export interface BillTableOptions {
  /** The price book's rule of a line, if it is at hand: explains free prices and waived statuses. */
  readonly termsOf?: TermsOf | undefined
  /** Also stored data in base units, and digests in full. */
  readonly verbose?: boolean
  readonly widthMax?: number | undefined
}

/** The three parts of every bill (R2), as customers know them. */
export const COMPONENT_TITLES: Readonly<Record<Component, string>> = {
  request: 'Request fees',
  processing: 'Data processing fees',
  storage: 'Index storage fees',
}

/**
 * A bill as a person reads it: every line as quantity × unit price = amount, exact, with all points below each
 * other; what was counted and not billed in words; what each component and the whole come to.
 */
export function billTable(bill: BillView, options: BillTableOptions = {}): readonly TextLine[] {
  const parts = partsOf(bill.lines, options.verbose ?? false)
  const columns = [
    ...parts.map(({ column }) => column),
    { heading: `Amount ${bill.currency}`, align: 'decimal', gap: 1 } as const,
  ]
  const rows = bill.lines.flatMap((line, index) => {
    const before = bill.lines[index - 1]
    return [
      ...(startsGroup(line, before) ? [gap(), titleOf(line)] : []),
      { cells: [...parts.map(({ cell }) => cell(line)), readableNumber(line.amount)] },
      ...notesOn(line, before, options.termsOf?.(line)).map(noteRow),
    ]
  })
  const totals = totalRows(bill)
  const head = billHeadLines(bill, options.verbose ?? false)
  return [...head, gap(), ...textTable(columns, [...rows, gap(), ...totals], options.widthMax)]
}

interface Part {
  readonly column: Column
  readonly cell: (line: LineView) => string
}

/** The columns before the amount. Those that would be empty on every line are left out. */
function partsOf(lines: readonly LineView[], verbose: boolean): readonly Part[] {
  const has = (field: 'operation' | 'project' | 'region') => lines.some((line) => line[field] !== null)
  const name = (heading: string, cell: Part['cell']): Part => ({
    column: { heading, align: 'left', shrinks: true },
    cell: (line) => safeText(cell(line)),
  })
  const parts: (Part | false)[] = [
    { column: { heading: '#', align: 'right', gap: 2 }, cell: ({ number }) => String(number) },
    name('Item', ({ item, rate }) => (rate === 'default' ? item : `${item}/${rate}`)),
    has('operation') && name('Operation', ({ operation }) => operation ?? ''),
    has('project') && name('Project', ({ project }) => project ?? ''),
    has('region') && name('Region', ({ region }) => region ?? ''),
    {
      column: { heading: 'Used', align: 'right' },
      // Byte-milliseconds say nothing to a reader: what was stored stands under Quantity.
      cell: ({ component, quantity, unit }) =>
        component === 'storage' && !verbose ? '' : countOf(quantity, safeText(unit)),
    },
    {
      column: { heading: 'Quantity', align: 'decimal' },
      cell: (line) => readableNumber(line.pricingQuantity),
    },
    { column: { heading: '', align: 'left', gap: 1 }, cell: () => '×' },
    {
      column: { heading: 'Unit price', align: 'decimal', gap: 1 },
      cell: (line) => readableNumber(line.unitPrice),
    },
    {
      column: { heading: '', align: 'left', gap: 1 },
      cell: (line) => `per ${readablePer(safeText(line.pricingUnit))}`,
    },
    { column: { heading: '', align: 'left', gap: 1 }, cell: () => '=' },
  ]
  return parts.filter((part) => part !== false)
}

/** Lines come in order: own hour first, then older ones; in each by component. */
function startsGroup(line: LineView, before: LineView | undefined): boolean {
  return before?.component !== line.component || before.usageHour !== line.usageHour
}

function titleOf(line: LineView): TextLine {
  const title = COMPONENT_TITLES[line.component]
  return { role: 'title', text: line.correction ? `${title} ${correctionTitle(line)}` : title }
}

function totalRows({ components, currency, total }: BillView): readonly Row[] {
  const titles = Object.entries(COMPONENT_TITLES) as [Component, string][]
  return [
    ...titles.map(([component, title]) => totalRow('row', title, components[component])),
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
