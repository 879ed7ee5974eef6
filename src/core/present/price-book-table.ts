import { plain } from '../money/decimal.ts'
import { priceWords } from '../rate/price-book/compare/words.ts'
import { isMarked, type PriceBook, type PriceTerm, type Rate } from '../rate/price-book/price-book.ts'
import { formatHourStart } from '../time/hour.ts'
import { componentsOf, headingOf, type SoldComponents } from './bill-components.ts'
import { waivedStatuses } from './line-terms.ts'
import { countOf, readableNumber, readablePer, readableTime } from './readable-text.ts'
import { type Column, type Row, textTable, type TextLine } from './text-table.ts'

/** Every rate with its prices, the oldest first; with the names of its operations if they are asked for. */
export function priceBookTable(
  book: PriceBook,
  { operations, widthMax }: { readonly operations: boolean; readonly widthMax?: number | undefined },
): readonly TextLine[] {
  const columns: readonly Column[] = [
    { heading: 'Item', align: 'left', gap: 2, shrinks: true },
    { heading: 'From, UTC', align: 'left' },
    { heading: `Price ${book.currency}`, align: 'decimal' },
    { heading: '', align: 'left', gap: 1 },
    { heading: '', align: 'left', wraps: true },
  ]
  const sold = componentsOf(book)
  const rows = book.rates.flatMap((rate, index): Row[] => [
    ...(rate.component === book.rates[index - 1]?.component ? [] : titleRows(rate, index, sold)),
    ...rate.terms.map((term, at) => termRow(rate, term, at)),
    ...(rate.until === undefined ? [] : [{ cells: ['', fromOf(rate.until), '', '', 'no longer in force'] }]),
    ...(operations ? noteRows(rate) : []),
  ])
  return textTable(columns, rows, widthMax)
}

function titleRows({ component }: Rate, index: number, sold: SoldComponents): readonly Row[] {
  const title: Row = { role: 'title', text: headingOf(component, sold) }
  return index === 0 ? [title] : [{ role: 'plain', text: '' }, title]
}

function termRow(rate: Rate, term: PriceTerm, at: number): Row {
  const name = rate.rate === 'default' ? rate.item : `${rate.item}/${rate.rate}`
  const per = term.kind === 'unknown' ? '' : `per ${readablePer(rate.pricingUnit)}`
  const [price, remark] = costOf(term)
  return { cells: [at === 0 ? name : '', fromOf(term.from), price, per, remark] }
}

/** The price, and what is to be said of it. */
function costOf(term: PriceTerm): readonly [price: string, remark: string] {
  switch (term.kind) {
    case 'price':
      return [readableNumber(plain(term.unitPrice)), term.illustrative ? 'illustrative' : '']
    case 'tiers':
      return ['', `${priceWords(term)}${term.illustrative ? ', illustrative' : ''}`]
    case 'free':
      return ['0', `free ${term.reason}`]
    case 'unknown':
      return ['', 'price unknown: usage is held']
  }
}

function noteRows(rate: Rate): readonly Row[] {
  const statuses = rate.component === 'request' && waivedStatuses(rate)
  const notes = [...rate.operations, ...(statuses ? [`not billed: answers ${statuses}`] : [])]
  return notes.map((text) => ({ role: 'note', text: `      ${text}` }))
}

function fromOf(hour: PriceTerm['from']): string {
  return readableTime(formatHourStart(hour))
}

/** `price book imm in USD, 37 items, 40 rates, 105 operations, 46 prices (27 illustrative)`. */
export function priceBookSummary({ name, currency, rates, operations }: PriceBook): string {
  const terms = rates.flatMap((rate) => rate.terms)
  const marked = terms.filter(isMarked).length
  const counts = [
    countOf(String(new Set(rates.map(({ item }) => item)).size), 'item'),
    countOf(rates.length, 'rate'),
    countOf(operations.size, 'operation'),
    `${countOf(terms.length, 'price')}${marked > 0 ? ` (${marked} illustrative)` : ''}`,
  ]
  return `price book ${name} in ${currency}, ${counts.join(', ')}`
}
