import { invariant } from '../invariant.ts'
import type { StoredQuantity } from '../meter/level.ts'
import { type Decimal, isZero, negated, plus, ZERO } from '../money/decimal.ts'
import type { Charge, KnownTerm } from '../rate/rating/assess.ts'
import { type PriceBook, type Rate, ratesFor, termInForce } from '../rate/price-book/price-book.ts'
import type { Hour } from '../time/hour.ts'

/** One line in the making: the sum of what was used under one key (ARCHITECTURE.md). */
export interface Entry {
  readonly usageHour: Hour
  readonly rate: Rate
  /** The public one, as it is written for the hour. */
  readonly term: KnownTerm
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  quantity: Decimal
  waived: Decimal
}

/** Sums by line key. Filled by one account's facts in any order: addition does not care. */
export type Tally = Map<string, Entry>

/** Add what one event is charged. */
export function addCharge(tally: Tally, usageHour: Hour, charge: Charge): void {
  add(tally, usageHour, charge)
}

/** Reverse what one event was charged. */
export function addReversal(tally: Tally, usageHour: Hour, charge: Charge): void {
  add(tally, usageHour, { ...charge, quantity: negated(charge.quantity), waived: negated(charge.waived) })
}

/**
 * Add byte-milliseconds of an hour under every storage rate in force there (R9, R10). An hour whose price is
 * unknown adds nothing: it is charged when the price is filled in.
 * @param stored negative where a restated level gives back
 */
export function addStored(tally: Tally, book: PriceBook, usageHour: Hour, stored: StoredQuantity): void {
  for (const rate of ratesFor(book, 'storage', null)) {
    const term = termInForce(rate, usageHour)
    if (term === undefined || term.kind === 'unknown') continue
    add(tally, usageHour, { rate, term, operation: null, waived: ZERO, ...stored })
  }
}

/** What bills said so far of an hour's storage, under one line key. */
export interface ChargedQuantity extends StoredQuantity {
  readonly usageHour: Hour
  readonly item: string
  readonly rate: string
}

/**
 * Take off what is charged already, so that the line carries the difference (ARCHITECTURE.md). An hour whose price this
 * version does not know yet, and a newer one did, stays as it is: like `addStored`, this leaves it to the newer one.
 */
export function addCharged(tally: Tally, book: PriceBook, charged: ChargedQuantity): void {
  const { usageHour, item, project, region } = charged
  const rate = ratesFor(book, 'storage', null).find((one) => one.item === item && one.rate === charged.rate)
  const term = rate && termInForce(rate, usageHour)
  invariant(rate !== undefined && term !== undefined, `${item}/${charged.rate} was charged, so it is listed`)
  if (term.kind === 'unknown') return
  const quantity = negated(charged.quantity)
  add(tally, usageHour, { rate, term, operation: null, project, region, quantity, waived: ZERO })
}

function add(tally: Tally, usageHour: Hour, charge: Charge): void {
  const { rate, term, operation, project, region, quantity, waived } = charge
  const text = keyText(usageHour, charge)
  const entry = tally.get(text)
  if (entry === undefined) {
    tally.set(text, { usageHour, rate, term, operation, project, region, quantity, waived })
    return
  }
  if (!isZero(quantity)) entry.quantity = plus(entry.quantity, quantity)
  if (!isZero(waived)) entry.waived = plus(entry.waived, waived)
}

/** U+0000 cannot occur in any part, so different keys have different texts. Absent and "" are the same. */
function keyText(usageHour: Hour, { rate, operation, project, region }: Charge): string {
  const place = `${operation ?? ''}\0${project ?? ''}\0${region ?? ''}`
  return `${usageHour}\0${rate.component}\0${rate.item}\0${rate.rate}\0${place}`
}
