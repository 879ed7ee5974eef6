import { plain } from '../money/decimal.ts'
import { placeOfRate, priceWords } from '../rate/price-book/compare/words.ts'
import type { PriceBook } from '../rate/price-book/price-book.ts'
import type { Minimum, PriceList } from '../rate/price-list/price-list.ts'
import { formatHourStart, type Hour } from '../time/hour.ts'
import { readableNumber, readablePer, readableTime } from './readable-text.ts'
import { type Column, type Row, textTable, type TextLine } from './text-table.ts'

/**
 * What a price list says, by subject, the oldest first: discount, minimum, and the rates that have prices of their own.
 * @param book of the same version
 */
export function priceListTable(list: PriceList, book: PriceBook, widthMax?: number): readonly TextLine[] {
  const columns: readonly Column[] = [
    { heading: 'What', align: 'left', gap: 2, shrinks: true },
    { heading: 'From, UTC', align: 'left' },
    { heading: book.currency, align: 'left', wraps: true },
  ]
  const rows: Row[] = [
    ...list.discounts.map(({ from, share }, at) =>
      row(at, 'Discount', from, `${readableNumber(plain(share))} off every other public price`),
    ),
    ...list.minimums.map((minimum, at) => row(at, 'Minimum', minimum.from, minimumWords(minimum))),
    ...[...list.rates.values()].flatMap((rate) => {
      const { pricingUnit } = book.rates.find((one) => placeOfRate(one) === placeOfRate(rate))!
      const name = rate.rate === 'default' ? rate.item : placeOfRate(rate)
      return rate.terms.map((term, at) => {
        const per = term.kind === 'free' ? '' : ` per ${readablePer(pricingUnit)}`
        return row(at, name, term.from, `${priceWords(term)}${per}${term.evenIfFree ? EVEN_IF_FREE : ''}`)
      })
    }),
  ]
  return textTable(columns, rows, widthMax)
}

const EVEN_IF_FREE = ', also where the public price is free'

/** `at least 500 for each month`. */
export function minimumWords({ amount, per }: Pick<Minimum, 'amount' | 'per'>): string {
  return `at least ${readableNumber(plain(amount))} for each ${per}, however little is used`
}

function row(at: number, name: string, from: Hour, words: string): Row {
  return { cells: [at === 0 ? name : '', from === 0 ? '' : readableTime(formatHourStart(from)), words] }
}
