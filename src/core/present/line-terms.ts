import { decimal, compare } from '../money/decimal.ts'
import {
  type Component,
  type PriceBook,
  type PriceTerm,
  type Rate,
  termInForce,
} from '../rate/price-book/price-book.ts'
import {
  type Discount,
  listRateKey,
  type ListTerm,
  type PriceList,
  termUnder,
} from '../rate/price-list/price-list.ts'
import { type Hour, hourOf } from '../time/hour.ts'
import { parseInstant } from '../time/instant.ts'

/** Which line of a bill, and what it says of its price: as much as is needed to find its rule. */
export interface LineKey {
  readonly component: Component
  readonly item: string
  readonly rate: string
  /** RFC 3339. */
  readonly usageHour: string
  readonly unitPrice: string
  readonly listPrice: string
  readonly priceList: string | null
  readonly tier: number | null
  readonly listTier: number | null
}

/** The rule and the price behind a line. */
export interface LineTerms {
  readonly rate: Rate
  /**
   * The public price that counts. It may be an older one than that in force: tiers give way to other tiers with the
   * account's next month.
   */
  readonly term: PriceTerm | undefined
  /** The term that ended when this one began, and the one that follows. */
  readonly before: PriceTerm | undefined
  readonly after: PriceTerm | undefined
  /** What a price list made of it; undefined: the public price is paid, or the list is not at hand. */
  readonly listed?: ListedTerm | undefined
}

/** What a price list says of a rate in an hour. */
export interface ListedTerm {
  /** What is paid. */
  readonly term: PriceTerm
  /** The price that the list names itself; undefined: it names none. */
  readonly own: ListTerm | undefined
  /** What is off the public price, where the list names none; undefined: nothing is. */
  readonly discount: Discount | undefined
}

/**
 * What book and lists say about a line; undefined when the book has no such rate, so is not the line's version.
 * @param lists of the same version
 */
export function lineTerms(
  book: PriceBook,
  line: LineKey,
  lists: ReadonlyMap<string, PriceList> = new Map(),
): LineTerms | undefined {
  const rate = book.rates.find(
    (each) => each.component === line.component && each.item === line.item && each.rate === line.rate,
  )
  const at = parseInstant(line.usageHour)
  if (!rate || typeof at === 'string') return undefined
  const hour = hourOf(at)
  const term = publicTerm(rate, hour, line)
  const index = term ? rate.terms.indexOf(term) : -1
  const list = line.priceList === null ? undefined : lists.get(line.priceList)
  return {
    rate,
    term,
    before: rate.terms[index - 1],
    after: term && rate.terms[index + 1],
    listed: list && listedTerm(list, rate, hour, line),
  }
}

/** The newest public term up to an hour that costs what the line says; of none, the one in force. */
function publicTerm(rate: Rate, hour: Hour, { listPrice, listTier }: LineKey): PriceTerm | undefined {
  const inForce = termInForce(rate, hour)
  if (inForce === undefined) return undefined
  const until = rate.terms.slice(0, rate.terms.indexOf(inForce) + 1)
  return until.findLast((term) => costs(term, listTier, listPrice)) ?? inForce
}

/** What the list says in the newest hour, up to that of the line, in which it costs what the line says. */
function listedTerm(list: PriceList, rate: Rate, hour: Hour, line: LineKey): ListedTerm | undefined {
  const own = list.rates.get(listRateKey(rate))?.terms ?? []
  const changes = [...rate.terms, ...own, ...list.discounts].map(({ from }) => from)
  const hours = [hour, ...changes.filter((from) => from < hour).toSorted((a, b) => b - a)]
  for (const at of hours) {
    const open = termInForce(rate, at)
    const term = termUnder(list, rate, at, open)
    if (term === undefined || !costs(term, line.tier, line.unitPrice)) continue
    const named = own.find((one) => one === term)
    const discount = list.discounts.findLast(({ from }) => from <= at)
    return { term, own: named, discount: named || term === open ? undefined : discount }
  }
  return undefined
}

/** Is it the price of the tier; or, without one, of every unit? */
function costs(term: PriceTerm, tier: number | null, price: string): boolean {
  const expected = decimal(price)
  switch (term.kind) {
    case 'tiers': {
      const one = tier === null ? undefined : term.tiers[tier - 1]
      return one !== undefined && compare(one.unitPrice, expected) === 0
    }
    case 'price':
      return tier === null && compare(term.unitPrice, expected) === 0
    case 'free':
      return tier === null && price === '0'
    case 'unknown':
      return false
  }
}

/** `5xx`, or `4xx or 5xx`: the statuses of requests that a rate counts and does not bill. */
export function waivedStatuses({ billedStatuses }: Rate): string {
  return [1, 2, 3, 4, 5]
    .filter((hundred) => !billedStatuses.has(hundred))
    .map((hundred) => `${hundred}xx`)
    .join(' or ')
}
