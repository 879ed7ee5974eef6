import { type Decimal, decimal, isZero, plain, plus, sum, ZERO } from '../money/decimal.ts'
import { COMPONENTS, type Component } from '../rate/price-book/price-book.ts'
import { price } from '../rate/rating/price.ts'
import { compareBytes, compareNullable } from '../text/well-formed.ts'
import type { Hour } from '../time/hour.ts'
import type { BillLine, Totals } from './bill.ts'
import { billId } from './bill-id.ts'
import type { Entry, Tally } from './tally.ts'

/** Whose bill it is, and what its lines refer to. */
export interface DraftContext {
  readonly account: string
  /** The cycle that is billed. */
  readonly hour: Hour
  readonly priceVersion: number
  /** Was a bill issued to the account for this older hour? Then a correction line names it. */
  isBilled(usageHour: Hour): boolean
}

/** Lines and totals: everything on a bill that follows from usage and prices. */
export interface Draft extends Totals {
  readonly lines: readonly BillLine[]
}

/**
 * Turn sums into the lines of a bill, in their exact order (ARCHITECTURE.md): the bill's own hour, then older
 * hours ascending; then component, item, rate, operation, project, region by UTF-8 bytes, null first.
 * @returns undefined when nothing was used or waived: no usage, no line; no lines, no bill (R1)
 */
export function draftBill(context: DraftContext, tally: Tally): Draft | undefined {
  const entries = [...tally.values()].filter(({ quantity, waived }) => !(isZero(quantity) && isZero(waived)))
  if (entries.length === 0) return undefined
  entries.sort((a, b) => compareEntries(context.hour, a, b))
  const lines = entries.map((entry, index) => lineOf(context, entry, index + 1))
  return { lines, ...totalsOf(lines) }
}

/** What a bill that should not be there comes to. */
export function emptyDraft(): Draft {
  return { lines: [], ...totalsOf([]) }
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

function lineOf(context: DraftContext, entry: Entry, number: number): BillLine {
  const { rate, term, usageHour, operation, project, region, quantity, waived } = entry
  const priced = price(rate, term, quantity)
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
    quantity: priced.quantity,
    unit: rate.baseUnit,
    waived: plain(waived),
    pricingQuantity: priced.pricingQuantity,
    pricingUnit: rate.pricingUnit,
    unitPrice: priced.unitPrice,
    amount: priced.amount,
    corrects: corrects ? billId(context.account, usageHour) : null,
    priceVersion: context.priceVersion,
  }
}

function compareEntries(own: Hour, a: Entry, b: Entry): number {
  return (
    hourRank(own, a.usageHour) - hourRank(own, b.usageHour) ||
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
