import type { UsageEvent } from '../../ingest/event.ts'
import type { StorageUsage } from '../../ingest/usage.ts'
import { decimal, plain, times } from '../../money/decimal.ts'
import { type Hour, MILLISECONDS_PER_HOUR } from '../../time/hour.ts'
import type { Assessment } from './assess.ts'
import { type PriceBook, type PriceTerm, type Rate, ratesFor, termInForce } from '../price-book/price-book.ts'
import { price, type Priced } from './price.ts'

/** What one event by itself comes to under one rate. A bill's line adds its events up, and prices the sum. */
export interface Quote {
  readonly rate: Rate
  /** In force in the hour of the event. Unknown only for a level: its hours have no line until the price is filled in. */
  readonly term: PriceTerm
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  /** Undefined for a level, whose amount depends on how long it lasts. */
  readonly counted: CountedQuote | undefined
  /** What a level costs in each whole hour at this price, exact; undefined for others, and where the price is unknown. */
  readonly amountPerHour: string | undefined
}

export interface CountedQuote extends Priced {
  /** Base units that are counted and not billed. */
  readonly waived: string
}

/** Every rate that charges an accepted event, with its price; none for what has no fee, and for all other events. */
export function quote(
  book: PriceBook,
  { usage, hour }: Pick<UsageEvent, 'usage' | 'hour'>,
  assessment: Assessment,
): readonly Quote[] {
  if (assessment.outcome !== 'accepted') return []
  if (usage?.component === 'storage') return levelQuotes(book, usage, hour)
  return assessment.charges.map(({ rate, term, operation, project, region, quantity, waived }) => ({
    rate,
    term,
    operation,
    project,
    region,
    counted: { ...price(rate, term, quantity), waived: plain(waived) },
    amountPerHour: undefined,
  }))
}

const WHOLE_HOUR = decimal(String(MILLISECONDS_PER_HOUR))

function levelQuotes(
  book: PriceBook,
  { bytes, project, region }: StorageUsage,
  hour: Hour,
): readonly Quote[] {
  return ratesFor(book, 'storage', null).flatMap((rate): Quote[] => {
    const term = termInForce(rate, hour)
    if (term === undefined) return []
    const amountPerHour =
      term.kind === 'unknown' ? undefined : price(rate, term, times(bytes, WHOLE_HOUR)).amount
    return [{ rate, term, operation: null, project, region, counted: undefined, amountPerHour }]
  })
}
