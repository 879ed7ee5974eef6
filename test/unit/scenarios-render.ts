import type { Bill, BillLine } from '../../src/core/bill/bill.ts'
import { componentsOf, shownComponents } from '../../src/core/present/bill-components.ts'
import type { PriceBook } from '../../src/core/rate/price-book/price-book.ts'
import { formatHour } from '../../src/core/time/hour.ts'
import { BLOCK } from './scenarios-read.ts'

interface Column {
  readonly name: string
  readonly isNumber?: true
  readonly cell: (line: BillLine, bill: Bill) => string
}

const COLUMNS: readonly Column[] = [
  {
    name: 'usage hour',
    cell: ({ usageHour }, { hour }) => (usageHour === hour ? '' : formatHour(usageHour)),
  },
  { name: 'component', cell: ({ component }) => component },
  { name: 'item', cell: ({ item, rate }) => (rate === 'default' ? item : `${item}/${rate}`) },
  { name: 'operation', cell: ({ operation }) => operation ?? '' },
  { name: 'project', cell: ({ project }) => project ?? '' },
  { name: 'region', cell: ({ region }) => region ?? '' },
  { name: 'quantity', isNumber: true, cell: ({ quantity }) => quantity },
  { name: 'waived', isNumber: true, cell: ({ waived }) => waived },
  { name: 'unit', cell: ({ unit }) => unit },
  { name: 'pricing quantity', isNumber: true, cell: ({ pricingQuantity }) => pricingQuantity },
  { name: 'per', cell: ({ pricingUnit }) => pricingUnit },
  { name: 'position', isNumber: true, cell: ({ position }) => position ?? '' },
  { name: 'tier', isNumber: true, cell: ({ tier }) => (tier === null ? '' : String(tier)) },
  { name: 'list', cell: ({ priceList }) => priceList ?? '' },
  {
    name: 'public price',
    isNumber: true,
    cell: ({ listPrice, unitPrice }) => (listPrice === unitPrice ? '' : listPrice),
  },
  { name: 'unit price', isNumber: true, cell: ({ unitPrice }) => unitPrice },
  { name: 'amount', isNumber: true, cell: ({ amount }) => amount },
]

/** A bill as scenarios show it. Columns without any content are left out. */
export function renderBill(bill: Bill, book: PriceBook): string {
  const { lines, components, total, currency } = bill
  const columns = COLUMNS.map(({ name, isNumber, cell }) => {
    const cells = lines.map((line) => cell(line, bill))
    const width = Math.max(...[name, ...cells].map(({ length }) => length))
    const pad = (text: string) => (isNumber ? text.padStart(width) : text.padEnd(width))
    return { cells: [name, ...cells].map(pad), isShown: cells.some((text) => text !== '') }
  }).filter(({ isShown }) => isShown)
  const rows = Array.from({ length: lines.length + 1 }, (_, row) =>
    columns
      .map(({ cells }) => cells[row]!)
      .join(' | ')
      .trimEnd(),
  )
  const totals = [
    ...shownComponents([bill], componentsOf(book)).map(
      (component) => [component, components[component]] as const,
    ),
    [`total ${currency}`, total] as const,
  ]
  return [...rows, '', ...totals.map(([name, amount]) => `${name.padEnd(10)} ${amount}`), ''].join('\n')
}

export const NO_BILL = 'no bill\n'

/**
 * The scenario with its bill blocks as they should be: each shows the bill that it names, or that there is none.
 * Bills that no block names are added at the end, so that none is overlooked.
 */
export function withBills(markdown: string, bills: readonly Bill[], book: PriceBook): string {
  const texts = new Map(bills.map((bill) => [`bill ${bill.id}`, renderBill(bill, book)]))
  const unnamed = new Set(texts.keys())
  const replaced = markdown.replaceAll(BLOCK, (block, info: string) => {
    if (!info.startsWith('bill ')) return block
    unnamed.delete(info)
    return `\`\`\`${info}\n${texts.get(info) ?? NO_BILL}\`\`\``
  })
  const added = [...unnamed].map((info) => `\n\`\`\`${info}\n${texts.get(info)!}\`\`\`\n`)
  return replaced + added.join('')
}
