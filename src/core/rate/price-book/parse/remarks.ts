import { formatHour } from '../../../time/hour.ts'
import type { PriceBook, PriceTerm } from '../price-book.ts'
import { type Path, type PriceBookRemark, type PriceBookRemarkCode, PROBLEMS_MAX } from './problem.ts'

interface PricedTerm {
  readonly term: PriceTerm
  readonly place: string
  readonly path: Path
}

/**
 * What the author of a valid book should know before it is published. The first 100.
 * @param freeOperations those under `operations:`, in their order
 */
export function remarksOn(book: PriceBook, freeOperations: readonly string[]): readonly PriceBookRemark[] {
  const terms = termsOf(book)
  return [
    ...illustrativePrices(terms),
    ...terms.filter(({ term }) => term.kind === 'unknown').map(unknownPrice),
    ...feesForFreeOperations(book, freeOperations),
  ].slice(0, PROBLEMS_MAX)
}

function termsOf({ rates }: PriceBook): readonly PricedTerm[] {
  return rates.flatMap(({ item, rate, terms }) =>
    terms.map((term, index) => {
      const path = ['items', item, 'rates', rate, 'prices', index]
      return { term, place: `${item}/${rate}`, path }
    }),
  )
}

/** One for all: every price of a demo book may be illustrative. */
function illustrativePrices(terms: readonly PricedTerm[]): readonly PriceBookRemark[] {
  const marked = terms.filter(({ term }) => term.kind === 'price' && term.illustrative)
  if (marked.length === 0) return []
  const message = `Prices that are illustrative: ${marked.length}, the first under ${marked[0]!.place}.`
  const path = [...marked[0]!.path, 'illustrative']
  return [remark(path, 'price_book/illustrative_prices', message, 'use the book for demos only')]
}

function unknownPrice({ term, place, path }: PricedTerm): PriceBookRemark {
  const message = `The price of ${place} is unknown from ${formatHour(term.from)} on: its usage will be held.`
  return remark([...path, 'price'], 'price_book/unknown_price', message, 'publish a price when it is known')
}

function feesForFreeOperations(book: PriceBook, free: readonly string[]): readonly PriceBookRemark[] {
  const itemOf = new Map(
    book.rates.flatMap((rate) => rate.operations.map((name) => [name, rate.item] as const)),
  )
  return free.flatMap((operation, index) => {
    const item = itemOf.get(operation)
    if (item === undefined) return []
    const message = `${operation} is listed as known without a fee, and ${item} charges for it: it has no fee where no item is in force.`
    const fix = `remove ${operation} from operations if its usage should be held there`
    return [remark(['operations', index], 'price_book/fee_for_free_operation', message, fix)]
  })
}

function remark(path: Path, code: PriceBookRemarkCode, message: string, fix: string): PriceBookRemark {
  return { path, code, message, fix }
}
