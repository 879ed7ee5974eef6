import { decimal, plain, sum } from '../money/decimal.ts'
import type { Component } from '../rate/price-book/price-book.ts'
import { headingOf, shownComponents, type SoldComponents } from './bill-components.ts'
import { shortMarks } from './bill-head-lines.ts'
import type { billHeadView } from './bill-view.ts'
import { countOf, readableNumber, readableTime } from './readable-text.ts'
import { type Column, type Row, textTable, type TextLine } from './text-table.ts'

/** A bill without its lines, or with them; a list of the API says how many there are. */
export type ListedBill = ReturnType<typeof billHeadView> & {
  readonly lines?: readonly unknown[]
  readonly lineCount?: number
}

export interface BillsTableOptions {
  /** What the price book has items for; all components without it. */
  readonly sold?: SoldComponents | undefined
  readonly widthMax?: number | undefined
}

const HEADINGS: Readonly<Record<Component, string>> = {
  request: 'Request',
  processing: 'Processing',
  storage: 'Storage',
}

/**
 * Bills one below the other, with the exact sum of those that are listed.
 * @param bills of one currency
 */
export function billsTable(
  bills: readonly ListedBill[],
  { sold, widthMax }: BillsTableOptions = {},
): readonly TextLine[] {
  const [first] = bills
  if (!first) return [{ role: 'plain', text: 'No bills.' }]
  const shown = shownComponents(bills, sold)
  const showsLines = bills.some((bill) => lineCountOf(bill) !== undefined)
  const columns: Column[] = [
    { heading: 'Cycle from, UTC', align: 'left', drops: 1 },
    money(`Total ${first.currency}`),
    ...shown.map((component) => ({ ...money(headingOf(component, sold, HEADINGS)), drops: 3 })),
    ...(showsLines ? [{ heading: 'Lines', align: 'right', drops: 2 } as const] : []),
    { heading: 'Bill', align: 'left' },
    { heading: '', align: 'left' },
  ]
  const rows = bills.map((bill): Row => {
    const lines = showsLines ? [String(lineCountOf(bill) ?? '')] : []
    const { cycle, id } = bill
    return { cells: [readableTime(cycle.from), ...moneyOf(bill, shown), ...lines, id, shortMarks(bill)] }
  })
  const count = countOf(bills.length, 'bill')
  const total: Row = { role: 'total', cells: [count, ...moneyOf(sumOf(bills), shown)] }
  return textTable(columns, [...rows, total], widthMax)
}

function money(heading: string): Column {
  return { heading, align: 'decimal' }
}

type Money = Pick<ListedBill, 'total' | 'components'>

function moneyOf({ total, components }: Money, shown: readonly Component[]): readonly string[] {
  return [total, ...shown.map((component) => components[component])].map(readableNumber)
}

function sumOf(bills: readonly Money[]): Money {
  const add = (read: (bill: Money) => string) => plain(sum(bills.map((bill) => decimal(read(bill)))))
  return {
    total: add(({ total }) => total),
    components: {
      request: add(({ components }) => components.request),
      processing: add(({ components }) => components.processing),
      storage: add(({ components }) => components.storage),
    },
  }
}

function lineCountOf({ lines, lineCount }: ListedBill): number | undefined {
  return lineCount ?? lines?.length
}
