import type { UsageEvent } from '../../ingest/event.ts'
import type { StorageUsage } from '../../ingest/usage.ts'
import { type Decimal, decimal, plain, sum, times } from '../../money/decimal.ts'
import { type Hour, MILLISECONDS_PER_HOUR } from '../../time/hour.ts'
import type { AccountPrices } from './account-prices.ts'
import type { Assessment } from './assess.ts'
import { type PriceTerm, type Rate, ratesFor, termInForce } from '../price-book/price-book.ts'
import { effectiveTerm } from './account-prices.ts'
import { type PricedPart, partsAt, type Positions } from './priced-parts.ts'
import type { Priced } from './price.ts'

/**
 * What one event by itself comes to under one rate, or in one tier of it. A bill's line adds its events up, and prices the
 * sum.
 */
export interface Quote {
  readonly rate: Rate
  /** In force in the hour of the event. Unknown only for a level: its hours have no line until the price is filled in. */
  readonly term: PriceTerm
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  /** At the position at which the account's bills have left the rate; undefined: the price is unknown. */
  readonly part: (Omit<PricedPart, keyof Priced | 'waived'> & Pick<Priced, 'unitPrice'>) | undefined
  /** Undefined for a level, whose amount depends on how long it lasts. */
  readonly counted: CountedQuote | undefined
  /** What a level costs in each whole hour at this price, exact; undefined for others, and where the price is unknown. */
  readonly amountPerHour: string | undefined
}

export interface CountedQuote extends Priced {
  /** Base units that are counted and not billed. */
  readonly waived: string
}

/** What the account of an event pays, and where its bills have left it. */
export interface QuotedFor {
  readonly prices: AccountPrices
  readonly positions: Positions
}

/** Every rate that charges an accepted event, with its price; none for what has no fee, and for all other events. */
export function quote(
  paid: QuotedFor,
  { usage, hour }: Pick<UsageEvent, 'usage' | 'hour'>,
  assessment: Assessment,
): readonly Quote[] {
  if (assessment.outcome !== 'accepted') return []
  if (usage?.component === 'storage') return levelQuotes(paid, usage, hour)
  return assessment.charges.flatMap(({ rate, operation, project, region, quantity, waived }) => {
    const terms = effectiveTerm(paid.prices, rate, hour)
    return partsAt(paid.positions, { rate, quantity, waived }, terms).map((part): Quote => {
      const counted = { ...part }
      return { rate, term: terms.term, operation, project, region, part, counted, amountPerHour: undefined }
    })
  })
}

const WHOLE_HOUR = decimal(String(MILLISECONDS_PER_HOUR))
const NONE: Decimal = decimal('0')

function levelQuotes(
  paid: QuotedFor,
  { bytes, project, region }: StorageUsage,
  hour: Hour,
): readonly Quote[] {
  return ratesFor(paid.prices.book, 'storage', null).flatMap((rate): Quote[] => {
    const publicTerm = termInForce(rate, hour)
    if (publicTerm === undefined) return []
    const place = { rate, operation: null, project, region, counted: undefined }
    if (publicTerm.kind === 'unknown')
      return [{ ...place, term: publicTerm, part: undefined, amountPerHour: undefined }]
    const terms = effectiveTerm(paid.prices, rate, hour)
    const used = { rate, quantity: times(bytes, WHOLE_HOUR), waived: NONE }
    const parts = partsAt(paid.positions, used, terms)
    const amountPerHour = plain(sum(parts.map(({ amount }) => decimal(amount))))
    return [{ ...place, term: terms.term, part: parts[0], amountPerHour }]
  })
}
