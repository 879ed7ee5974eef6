import { plain } from '../money/decimal.ts'
import type { PriceTerm } from '../rate/price-book/price-book.ts'
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
  const { rate, term, operation, project, region, counted, amountPerHour } = quote
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
    unitPrice: unitPriceOf(term),
    amount: counted?.amount ?? null,
    amountPerHour: amountPerHour ?? null,
    free: term.kind === 'free' ? term.reason : null,
    illustrative: term.kind === 'price' && term.illustrative,
    priceFrom: formatHourStart(term.from),
    priceVersion,
  }
}

function unitPriceOf(term: PriceTerm): string | null {
  if (term.kind === 'unknown') return null
  return term.kind === 'free' ? '0' : plain(term.unitPrice)
}
