import { type Decimal, decimal, isZero, plain, plus, sum, ZERO } from '../money/decimal.ts'
import { COMPONENTS, type Component } from '../rate/price-book/price-book.ts'
import type { AccountPrices } from '../rate/rating/account-prices.ts'
import type { Positions, PricedPart } from '../rate/rating/priced-parts.ts'
import { compareBytes, compareNullable } from '../text/well-formed.ts'
import type { Hour } from '../time/hour.ts'
import type { BillLine, Totals } from './bill.ts'
import { billId } from './bill-id.ts'
import { inHours, priceEntries } from './price-entries.ts'
import type { Entry, Tally } from './tally.ts'

/** Whose bill it is, and what its lines refer to. */
export interface DraftContext {
  readonly account: string
  /** The cycle that is billed. */
  readonly hour: Hour
  readonly priceVersion: number
  readonly prices: AccountPrices
  /** Before this bill. */
  readonly positions: Positions
  /** Was a bill issued to the account for this older hour? Then a correction line names it. */
  isBilled(usageHour: Hour): boolean
}

/** Lines and totals: everything on a bill that follows from usage and prices. */
export interface Draft extends Totals {
  readonly lines: readonly BillLine[]
  /** Where the bill leaves the stretches that it touches. */
  readonly positions: Positions
}

/**
 * Turn sums into the lines of a bill, in their exact order (ARCHITECTURE.md): the bill's own hour, then older
 * hours ascending; then component, item, rate, operation, project, region by UTF-8 bytes, null first.
 * @returns undefined when nothing was used or waived: no usage, no line; no lines, no bill (R1)
 */
export function draftBill(context: DraftContext, tally: Tally): Draft | undefined {
  const entries = [...tally.values()].filter(({ quantity, waived }) => !(isZero(quantity) && isZero(waived)))
  if (entries.length === 0) return undefined
  // Positions count by usage hour, whatever the order of the lines is.
  const priced = priceEntries(context.prices, entries.toSorted(inHours(inHour)), context.positions)
  entries.sort(
    (a, b) => hourRank(context.hour, a.usageHour) - hourRank(context.hour, b.usageHour) || inHour(a, b),
  )
  const lines: BillLine[] = []
  for (const entry of entries) {
    for (const part of priced.parts.get(entry)!) lines.push(lineOf(context, entry, part, lines.length + 1))
  }
  return { lines, positions: priced.positions, ...totalsOf(lines) }
}

/** What a bill that should not be there comes to. */
export function emptyDraft(): Draft {
  return { lines: [], positions: new Map(), ...totalsOf([]) }
}

/** The exact sum of the lines, in all and by component (R2). */
export function totalsOf(lines: readonly Pick<BillLine, 'component' | 'amount'>[]): Totals {
  const sums: Record<Component, Decimal> = { request: ZERO, processing: ZERO, storage: ZERO }
  for (const { component, amount } of lines) {
    if (amount !== '0') sums[component] = plus(sums[component], decimal(amount))
  }
  const { request, processing, storage } = sums
  return {
    total: plain(sum([request, processing, storage])),
    components: { request: plain(request), processing: plain(processing), storage: plain(storage) },
  }
}

function lineOf(context: DraftContext, entry: Entry, part: PricedPart, number: number): BillLine {
  const { rate, usageHour, operation, project, region } = entry
  const corrects = usageHour !== context.hour && context.isBilled(usageHour)
  return {
    number,
    component: rate.component,
    item: rate.item,
    rate: rate.rate,
    operation,
    project,
    region,
    usageHour,
    quantity: part.quantity,
    unit: rate.baseUnit,
    waived: part.waived,
    pricingQuantity: part.pricingQuantity,
    pricingUnit: rate.pricingUnit,
    unitPrice: part.unitPrice,
    listPrice: part.listPrice,
    priceList: part.priceList,
    tier: part.tier,
    listTier: part.listTier,
    position: part.position,
    stretchFrom: part.stretchFrom,
    amount: part.amount,
    corrects: corrects ? billId(context.account, usageHour) : null,
    priceVersion: context.priceVersion,
  }
}

/** In the order of the bill, in one usage hour. */
export function inHour(a: Entry, b: Entry): number {
  return (
    COMPONENTS.indexOf(a.rate.component) - COMPONENTS.indexOf(b.rate.component) ||
    compareBytes(a.rate.item, b.rate.item) ||
    compareBytes(a.rate.rate, b.rate.rate) ||
    compareNullable(a.operation, b.operation) ||
    compareNullable(a.project, b.project) ||
    compareNullable(a.region, b.region)
  )
}

/** The own hour before all others. */
function hourRank(own: Hour, usageHour: Hour): number {
  return usageHour === own ? -Infinity : usageHour
}
