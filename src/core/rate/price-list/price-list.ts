import { type Decimal, isZero, minus, ONE, times } from '../../money/decimal.ts'
import type { Hour } from '../../time/hour.ts'
import type { PriceTerm, Rate, Tier } from '../price-book/price-book.ts'

/** A price that has a list's name: it is known. */
export type PricedTerm = Exclude<PriceTerm, { readonly kind: 'unknown' }>

/** What a list says of a rate from an hour on. */
export type ListTerm = PricedTerm & {
  /** Does it charge for what is free publicly? */
  readonly evenIfFree: boolean
}

/** What a list says of one rate of the book. */
export interface ListRate {
  readonly item: string
  readonly rate: string
  /** At least one, `from` strictly ascending. Before the first one the discounted public price holds. */
  readonly terms: readonly ListTerm[]
}

/** Off every public price that the list does not name: 0 to 1, from an hour on. */
export interface Discount {
  readonly from: Hour
  readonly share: Decimal
}

/** What is due for each month, however little was used; from an hour on. */
export interface Minimum {
  readonly from: Hour
  readonly amount: Decimal
  readonly per: 'month'
}

/** Negotiated prices: one version of them, immutable. Made by `readPriceList` alone. */
export interface PriceList {
  readonly name: string
  /** `from` strictly ascending. Before the first one there is no discount. */
  readonly discounts: readonly Discount[]
  /** By `listRateKey`. */
  readonly rates: ReadonlyMap<string, ListRate>
  /** `from` strictly ascending. */
  readonly minimums: readonly Minimum[]
}

export function listRateKey({ item, rate }: Pick<Rate, 'item' | 'rate'>): string {
  return `${item}\0${rate}`
}

/** Does a list have tiers for a rate, in any hour? */
export function listHasTiers(list: PriceList | undefined, rate: Pick<Rate, 'item' | 'rate'>): boolean {
  return list?.rates.get(listRateKey(rate))?.terms.some(({ kind }) => kind === 'tiers') ?? false
}

/**
 * What a rate costs under a list in an hour: the list's own term, else the discounted public one. What is unknown or not
 * in force publicly stays so; what is free stays free unless the list's term says
 * that it charges even so.
 */
export function termUnder(
  list: PriceList,
  rate: Rate,
  hour: Hour,
  publicTerm: PriceTerm | undefined,
): PriceTerm | undefined {
  if (publicTerm === undefined || publicTerm.kind === 'unknown') return publicTerm
  const own = list.rates.get(listRateKey(rate))?.terms.findLast((term) => term.from <= hour)
  if (publicTerm.kind === 'free' && own?.evenIfFree !== true) return publicTerm
  return own ?? discounted(list, publicTerm, hour)
}

/** A term never changes, so what a discount makes of it is made once: what it costs is kept by its identity. */
const known = new WeakMap<Discount, WeakMap<PriceTerm, PricedTerm>>()

function discounted(list: PriceList, term: PricedTerm, hour: Hour): PricedTerm {
  const discount = list.discounts.findLast(({ from }) => from <= hour)
  if (discount === undefined || isZero(discount.share) || term.kind === 'free') return term
  let terms = known.get(discount)
  if (terms === undefined) known.set(discount, (terms = new WeakMap()))
  let made = terms.get(term)
  if (made === undefined) terms.set(term, (made = lessDiscount(term, minus(ONE, discount.share))))
  return made
}

/** Exact: 4 decimals of a discount and 12 of a price come to 16. */
function lessDiscount(term: Exclude<PricedTerm, { kind: 'free' }>, share: Decimal): PricedTerm {
  if (term.kind === 'price') return { ...term, unitPrice: times(term.unitPrice, share) }
  const tiers = term.tiers.map((tier): Tier => ({ ...tier, unitPrice: times(tier.unitPrice, share) }))
  return { ...term, tiers }
}
