import type { Component, EventType } from '../../ingest/usage.ts'
import type { Decimal } from '../../money/decimal.ts'
import type { Hour } from '../../time/hour.ts'

export { COMPONENTS, type Component, type EventType } from '../../ingest/usage.ts'

/** The price of the units above the tier before it, up to and including `upTo`. */
export interface Tier {
  readonly kind: 'price'
  /** Base units, above those of the tier before; undefined for the last one, which never ends. */
  readonly upTo: Decimal | undefined
  readonly unitPrice: Decimal
}

/** What a rate costs from the first instant of `from` until the next term of the rate. */
export type PriceTerm = { readonly from: Hour } & (
  | { readonly kind: 'price'; readonly unitPrice: Decimal; readonly illustrative: boolean }
  /** Graduated over the account's month: each unit costs what its tier says. At least two, `upTo` strictly ascending. */
  | { readonly kind: 'tiers'; readonly tiers: readonly Tier[]; readonly illustrative: boolean }
  /** A price of 0 that stays listed (R10). `reason` is shown: `until announced`. */
  | { readonly kind: 'free'; readonly reason: string }
  /** Usage is held until a later version fills the price in. */
  | { readonly kind: 'unknown' }
)

/** The part of a billable item with one unit and one price at a time. */
export interface Rate {
  readonly item: string
  readonly rate: string
  readonly component: Component
  /** Empty for storage, which is charged for every level. */
  readonly operations: readonly string[]
  /** The key of `quantities` that an event must carry: `call`, `image`, `millisecond`, `byte`. */
  readonly unit: string
  /** What lines count: the unit, or `byte-millisecond` for storage. */
  readonly baseUnit: string
  /** Base units for one unit price: 1000 for `1000 call`, 3.6e15 byte-milliseconds for `GB-hour`. */
  readonly per: Decimal
  /** `1000 call`, `minute`, `GB-hour`. */
  readonly pricingUnit: string
  /** Hundreds of the statuses that are billed (R4, R5): 4 stands for 4xx. Used by requests alone. */
  readonly billedStatuses: ReadonlySet<number>
  /** At least one, `from` strictly ascending. Before the first one the rate is not in force. */
  readonly terms: readonly PriceTerm[]
  /** Not in force from the first instant of this hour on; undefined: for ever. */
  readonly until: Hour | undefined
}

/**
 * The whole rule set of one published version: mapping, statuses, units and prices.
 *
 * Invariants, held by `readPriceBook`, the only way to make one: an (item, operation) is in at most one
 * rate; request rates count `call`; storage rates count `byte`; terms ascend and start on an hour.
 */
export interface PriceBook {
  readonly name: string
  /** ISO 4217, for example USD. */
  readonly currency: string
  /** What this business calls the components; those without one keep the name of R2. For reading: nothing is priced by it. */
  readonly headings: ReadonlyMap<Component, string>
  readonly eventTypes: ReadonlyMap<string, EventType>
  /** Every known operation, with and without a fee. Any other is held. */
  readonly operations: ReadonlySet<string>
  /** Those that are said to have no fee: in hours in which no rate of theirs is in force, they have none. */
  readonly freeOperations: ReadonlySet<string>
  /** Ordered by component, item and rate, by UTF-8 bytes. */
  readonly rates: readonly Rate[]
}

/** A book never changes, and every event asks it the same. */
const known = new WeakMap<PriceBook, Map<string, readonly Rate[]>>()

/** The component's rates that list the operation, in force or not. Storage ignores the operation. */
export function ratesFor(book: PriceBook, component: Component, operation: string | null): readonly Rate[] {
  let answers = known.get(book)
  if (answers === undefined) known.set(book, (answers = new Map()))
  const question = `${component}\0${operation ?? ''}`
  let rates = answers.get(question)
  if (rates === undefined) {
    rates = findRates(book, component, operation)
    // Anyone can send unknown operations; of known ones there are not many.
    if (operation === null || book.operations.has(operation)) answers.set(question, rates)
  }
  return rates
}

function findRates(book: PriceBook, component: Component, operation: string | null): readonly Rate[] {
  return book.rates.filter(
    (rate) =>
      rate.component === component &&
      (component === 'storage' || (operation !== null && rate.operations.includes(operation))),
  )
}

/** The term in force during `hour`, or undefined before the first one and from `until` on. */
export function termInForce(rate: Rate, hour: Hour): PriceTerm | undefined {
  if (rate.until !== undefined && hour >= rate.until) return undefined
  return rate.terms.findLast((term) => term.from <= hour)
}

/** Does any price of the book carry the mark `illustrative`? Such a book is for demos only. */
export function isIllustrative(book: PriceBook): boolean {
  return book.rates.some((rate) => rate.terms.some(isMarked))
}

/** Is it a price that is made up, for a demo? */
export function isMarked(term: PriceTerm | undefined): boolean {
  return (term?.kind === 'price' || term?.kind === 'tiers') && term.illustrative
}
