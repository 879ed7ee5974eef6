import {
  type Component,
  type PriceBook,
  type PriceTerm,
  type Rate,
  termInForce,
} from '../rate/price-book/price-book.ts'
import { hourOf } from '../time/hour.ts'
import { parseInstant } from '../time/instant.ts'

/** Which line of a bill: as much as the price book needs to find its rule. */
export interface LineKey {
  readonly component: Component
  readonly item: string
  readonly rate: string
  /** RFC 3339. */
  readonly usageHour: string
}

/** The rule and the price behind a line. */
export interface LineTerms {
  readonly rate: Rate
  readonly term: PriceTerm | undefined
  /** The term that ended when this one began, and the one that follows. */
  readonly before: PriceTerm | undefined
  readonly after: PriceTerm | undefined
}

/** What the book says about a line; undefined when it has no such rate, so is not the line's version. */
export function lineTerms(book: PriceBook, line: LineKey): LineTerms | undefined {
  const rate = book.rates.find(
    (each) => each.component === line.component && each.item === line.item && each.rate === line.rate,
  )
  const at = parseInstant(line.usageHour)
  if (!rate || typeof at === 'string') return undefined
  const term = termInForce(rate, hourOf(at))
  const index = term ? rate.terms.indexOf(term) : -1
  return { rate, term, before: rate.terms[index - 1], after: term && rate.terms[index + 1] }
}

/** `5xx`, or `4xx or 5xx`: the statuses of requests that a rate counts and does not bill. */
export function waivedStatuses({ billedStatuses }: Rate): string {
  return [1, 2, 3, 4, 5]
    .filter((hundred) => !billedStatuses.has(hundred))
    .map((hundred) => `${hundred}xx`)
    .join(' or ')
}
