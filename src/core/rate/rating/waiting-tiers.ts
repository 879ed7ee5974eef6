import type { Rate } from '../price-book/price-book.ts'
import type { Hour } from '../../time/hour.ts'
import {
  type AccountPrices,
  effectiveTerm,
  isSamePrice,
  type ListAssignment,
  mayCount,
  pricedAt,
} from './account-prices.ts'

/** Tiers that an assignment brings, and that wait for the account's next month. */
export interface WaitingTiers extends ListAssignment {
  readonly rate: Rate
  /** The first hour in which they count. */
  readonly countsFrom: Hour
}

/** Hours after the first one of a month in which the next month has begun: none is longer than 31 days and a zone's shift. */
const NEXT_MONTH_HOURS = 33 * 24

/**
 * Which tiers of an account's assignments still wait, and from when they count.
 * @param open the first hour that has not begun
 */
export function waitingTiers(prices: AccountPrices, open: Hour): readonly WaitingTiers[] {
  return prices.assigned.flatMap((assignment) =>
    prices.book.rates.flatMap((rate) => waitingTier(prices, rate, assignment, open) ?? []),
  )
}

function waitingTier(
  prices: AccountPrices,
  rate: Rate,
  { list, from }: ListAssignment,
  open: Hour,
): WaitingTiers | undefined {
  if (!mayCount(prices, rate)) return undefined
  const written = pricedAt(prices, rate, from, false)
  if (written?.term.kind !== 'tiers') return undefined
  const { term, priceList } = effectiveTerm(prices, rate, from)
  if (isSamePrice(written, { term, list: priceList })) return undefined
  const countsFrom = prices.monthStart((prices.monthStart(from) + NEXT_MONTH_HOURS) as Hour)
  const isStill = pricedAt(prices, rate, countsFrom, false)?.list === list
  return isStill && countsFrom >= open ? { list, from, rate, countsFrom } : undefined
}
