import { isMarked } from '../rate/price-book/price-book.ts'
import type { Quote } from '../rate/rating/quote.ts'
import { formatHourStart } from '../time/hour.ts'

/** A quote as the API shows it: the members of a bill's line that one event decides. Quantities are null for a level. */
export interface QuoteView {
  readonly component: string
  readonly item: string
  readonly rate: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  readonly quantity: string | null
  readonly unit: string
  readonly waived: string | null
  readonly pricingQuantity: string | null
  readonly pricingUnit: string
  /** Null where the price is unknown. */
  readonly unitPrice: string | null
  readonly listPrice: string | null
  readonly priceList: string | null
  readonly tier: number | null
  readonly listTier: number | null
  /** Where the account's bills have left the rate: what the quote assumes. Null without tiers. */
  readonly position: string | null
  readonly amount: string | null
  readonly amountPerHour: string | null
  /** Why it is free; null: it is not. */
  readonly free: string | null
  readonly illustrative: boolean
  /** Since when the price is in force, RFC 3339. */
  readonly priceFrom: string
  readonly priceVersion: number
}

/** @param priceVersion the published version that the quote was made under */
export function quoteView(quote: Quote, priceVersion: number): QuoteView {
  const { rate, term, operation, project, region, counted, part, amountPerHour } = quote
  return {
    component: rate.component,
    item: rate.item,
    rate: rate.rate,
    operation,
    project,
    region,
    quantity: counted?.quantity ?? null,
    unit: rate.baseUnit,
    waived: counted?.waived ?? null,
    pricingQuantity: counted?.pricingQuantity ?? null,
    pricingUnit: rate.pricingUnit,
    unitPrice: part?.unitPrice ?? null,
    listPrice: part?.listPrice ?? null,
    priceList: part?.priceList ?? null,
    tier: part?.tier ?? null,
    listTier: part?.listTier ?? null,
    position: part?.position ?? null,
    amount: counted?.amount ?? null,
    amountPerHour: amountPerHour ?? null,
    free: term.kind === 'free' ? term.reason : null,
    illustrative: isMarked(term),
    priceFrom: formatHourStart(term.from),
    priceVersion,
  }
}
