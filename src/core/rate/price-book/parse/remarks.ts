import { formatHour } from '../../../time/hour.ts'
import { isMarked, type PriceBook, type PriceTerm, type Rate, ratesFor } from '../price-book.ts'
import { remarksOnQuantities } from './event-type-units.ts'
import { type Path, type PriceBookRemark, type PriceBookRemarkCode, PROBLEMS_MAX } from './problem.ts'
import { pricesOfNothing } from './smallest-use.ts'

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
    ...pricesOfNothing(book),
    ...feesForFreeOperations(book, freeOperations),
    ...remarksOnQuantities(book),
    ...typesWithoutFee(book),
    ...severalUnits(book),
    ...processingOnly(book),
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
  const marked = terms.filter(({ term }) => isMarked(term))
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

/** Types of one component for an operation that only the other one charges. */
function typesWithoutFee(book: PriceBook): readonly PriceBookRemark[] {
  return [...book.eventTypes].flatMap(([type, { component, operation }]) => {
    if (operation === undefined || ratesFor(book, component, operation).length > 0) return []
    const other = component === 'request' ? 'processing' : 'request'
    if (ratesFor(book, other, operation).length === 0) return []
    const charged = other === 'request' ? 'requests' : 'processing'
    const message = `The event type ${type} is ${component} usage of ${operation}, which is charged for ${charged} only: its events have no fee.`
    const fix = `write component: ${other}, or list ${operation} under a ${component} item`
    return [remark(['eventTypes', type, 'component'], 'price_book/type_without_fee', message, fix)]
  })
}

/** An event without one of the units is rejected. One remark for all such operations. */
function severalUnits({ rates }: PriceBook): readonly PriceBookRemark[] {
  const found = new Map<string, readonly [Rate, Rate]>()
  const byOperation = new Map<string, Rate[]>()
  for (const rate of rates.filter(({ component }) => component === 'processing')) {
    for (const operation of rate.operations) {
      const others = byOperation.get(operation)
      if (others === undefined) byOperation.set(operation, [rate])
      else if (!found.has(operation)) {
        const other = others.find((one) => one.unit !== rate.unit && areTogether(one, rate))
        if (other) found.set(operation, [other, rate])
        others.push(rate)
      }
    }
  }
  const [first] = found
  if (first === undefined) return []
  const [operation, [one, other]] = first
  const more = found.size === 1 ? '' : ` (and ${found.size - 1} more operations have several units)`
  const places = [one, other].map(({ item, rate, unit }) => `by ${unit} under ${item}/${rate}`).join(' and ')
  const message = `${operation} is charged ${places}: an event without one of the units is rejected${more}.`
  const path = ['items', other.item, 'rates', other.rate, 'operations', other.operations.indexOf(operation)]
  return [remark(path, 'price_book/several_units', message, 'let its senders give each of them')]
}

/** Are both in force in some hour? */
function areTogether(a: Rate, b: Rate): boolean {
  const from = Math.max(a.terms[0]!.from, b.terms[0]!.from)
  return from < Math.min(a.until ?? Infinity, b.until ?? Infinity)
}

/** Calls of an operation that is under no request item have no fee, in a book that charges calls. One remark for all. */
function processingOnly({ rates }: PriceBook): readonly PriceBookRemark[] {
  const requests = rates.filter(({ component }) => component === 'request')
  if (requests.length === 0) return []
  const called = new Set(requests.flatMap(({ operations }) => operations))
  const only = new Map<string, Rate>()
  for (const rate of rates.filter(({ component }) => component === 'processing')) {
    for (const operation of rate.operations) if (!called.has(operation)) only.set(operation, rate)
  }
  const [first] = only
  if (first === undefined) return []
  const [operation, { item, rate, operations }] = first
  const message = `Operations that are charged for processing only: ${only.size}, the first is ${operation}; their calls have no request fee.`
  const path = ['items', item, 'rates', rate, 'operations', operations.indexOf(operation)]
  return [
    remark(path, 'price_book/processing_only', message, 'list them under a request item too if they should'),
  ]
}

function remark(path: Path, code: PriceBookRemarkCode, message: string, fix: string): PriceBookRemark {
  return { path, code, message, fix }
}
