import { invariant } from '../../invariant.ts'
import { type Hour, hourOf, startOf } from '../../time/hour.ts'
import type { Instant } from '../../time/instant.ts'
import { samePrice } from '../price-book/compare/words.ts'
import { type PriceBook, type PriceTerm, type Rate, termInForce } from '../price-book/price-book.ts'
import { listHasTiers, listRateKey, type PriceList, termUnder } from '../price-list/price-list.ts'
import type { KnownTerm } from './assess.ts'

/** From this hour on an account pays by a list; null: the public prices. */
export interface ListAssignment {
  readonly list: string | null
  readonly from: Hour
}

/** All that decides what an account pays: for quotes, live usage, bills and their proof. */
export interface AccountPrices {
  readonly book: PriceBook
  /** Of the same version as the book. */
  readonly lists: ReadonlyMap<string, PriceList>
  /** `from` strictly ascending. Before the first one the account pays the public prices. */
  readonly assigned: readonly ListAssignment[]
  /** The first hour of the account's month that an hour is in. Asked only where prices have tiers. */
  readonly monthStart: (hour: Hour) => Hour
}

/** What an account pays for a rate in one hour. */
export interface EffectiveTerm {
  readonly term: KnownTerm
  /** The public price. */
  readonly listTerm: KnownTerm
  /** The list that the term is from; null: it is the public one. */
  readonly priceList: string | null
  /**
   * The first hour of the stretch: of the account's month, the hours in which both terms are the same. Usage counts
   * through the tiers from 0 there. Null: neither term has tiers.
   */
  readonly stretchFrom: Hour | null
}

/**
 * The one resolution of prices: the list's term, else the discounted public one, else the public one. From tiers to other
 * tiers, and to another list that has tiers, an account changes with its next month; every other change counts from its hour.
 * @param rate in force in the hour, with a known price
 */
export function effectiveTerm(prices: AccountPrices, rate: Rate, hour: Hour): EffectiveTerm {
  if (paysPublicFlat(prices, rate)) {
    const term = known(pricedAt(prices, rate, hour, true))
    return { term, listTerm: term, priceList: null, stretchFrom: null }
  }
  const side = (isPublic: boolean) => (at: Hour) => pricedAt(prices, rate, at, isPublic)
  if (!mayCount(prices, rate)) {
    const [paid, open] = [side(false)(hour), side(true)(hour)]
    return { term: known(paid), listTerm: known(open), priceList: paid!.list, stretchFrom: null }
  }
  const month = prices.monthStart(hour)
  const changes = changesIn(prices, rate, month, hour)
  const [paid, open] = [walk(side(false), month, changes), walk(side(true), month, changes)]
  const terms = { term: known(paid.price), listTerm: known(open.price), priceList: paid.price!.list }
  if (hasTiers(paid.price)) return { ...terms, stretchFrom: paid.since }
  const since = Math.max(paid.since, open.since) as Hour
  return { ...terms, stretchFrom: hasTiers(open.price) ? since : null }
}

/** The public prices, for months of UTC. */
export function publicPrices(book: PriceBook): AccountPrices {
  return { book, lists: new Map(), assigned: [], monthStart: monthOfUtcStart }
}

function monthOfUtcStart(hour: Hour): Hour {
  const day = new Date(startOf(hour))
  return hourOf(Date.UTC(day.getUTCFullYear(), day.getUTCMonth()) as Instant)
}

/** Nearly all do: one price of the book for every unit. */
export function paysPublicFlat({ assigned }: AccountPrices, rate: Rate): boolean {
  return assigned.length === 0 && !rateHasTiers(rate)
}

/** Can the account's price of the rate have tiers in any hour, or the public one? Then its usage counts through them. */
export function mayCount({ lists, assigned }: AccountPrices, rate: Rate): boolean {
  if (rateHasTiers(rate)) return true
  return assigned.some(({ list }) => list !== null && listHasTiers(lists.get(list), rate))
}

const tiered = new WeakMap<Rate, boolean>()

function rateHasTiers(rate: Rate): boolean {
  let has = tiered.get(rate)
  if (has === undefined) tiered.set(rate, (has = rate.terms.some(({ kind }) => kind === 'tiers')))
  return has
}

interface Priced {
  readonly term: PriceTerm
  readonly list: string | null
}

/** What is written for an hour, without regard to months. */
export function pricedAt(
  { lists, assigned }: AccountPrices,
  rate: Rate,
  hour: Hour,
  isPublic: boolean,
): Priced | undefined {
  const publicTerm = termInForce(rate, hour)
  const name = isPublic ? null : (assigned.findLast(({ from }) => from <= hour)?.list ?? null)
  if (name === null) return publicTerm && { term: publicTerm, list: null }
  const list = lists.get(name)
  invariant(list !== undefined, 'the list of an account is never deleted')
  const term = termUnder(list, rate, hour, publicTerm)
  return term && { term, list: name }
}

/** Hours of (after, to] in which what is written may change, ascending. */
function changesIn({ lists, assigned }: AccountPrices, rate: Rate, after: Hour, to: Hour): readonly Hour[] {
  const hours = new Set<Hour>(rate.terms.map(({ from }) => from))
  if (rate.until !== undefined) hours.add(rate.until)
  for (const { list, from } of assigned) {
    hours.add(from)
    const under = list === null ? undefined : lists.get(list)
    for (const term of under?.rates.get(listRateKey(rate))?.terms ?? []) hours.add(term.from)
    for (const discount of under?.discounts ?? []) hours.add(discount.from)
  }
  return [...hours].filter((hour) => hour > after && hour <= to).sort((a, b) => a - b)
}

interface Since {
  readonly price: Priced | undefined
  readonly since: Hour
}

/** Through the month, hour by hour of change: tiers give way to other tiers only at its end. */
function walk(priced: (hour: Hour) => Priced | undefined, month: Hour, changes: readonly Hour[]): Since {
  let [price, since] = [priced(month), month]
  for (const hour of changes) {
    const then = priced(hour)
    if ((hasTiers(price) && hasTiers(then)) || isSamePrice(price, then)) continue
    ;[price, since] = [then, hour]
  }
  return { price, since }
}

function hasTiers(price: Priced | undefined): boolean {
  return price?.term.kind === 'tiers'
}

/** The same price, from the same list? */
export function isSamePrice(a: Priced | undefined, b: Priced | undefined): boolean {
  return samePrice(a?.term, b?.term) && a?.list === b?.list
}

function known(price: Priced | undefined): KnownTerm {
  invariant(price !== undefined && price.term.kind !== 'unknown', 'only usage with a known price is billed')
  return price.term
}
