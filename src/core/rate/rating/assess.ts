import type { UsageEvent } from '../../ingest/event.ts'
import { reject, type Rejection } from '../../ingest/rejection.ts'
import { isBuiltIn, type ProcessingUsage, type RequestUsage } from '../../ingest/usage.ts'
import { measure } from '../../meter/measure.ts'
import { type Decimal, ZERO } from '../../money/decimal.ts'
import { formatHour, type Hour } from '../../time/hour.ts'
import { type PriceBook, type PriceTerm, type Rate, ratesFor, termInForce } from '../price-book/price-book.ts'

/** A term that can be billed: a price, tiers, or free. */
export type KnownTerm = Exclude<PriceTerm, { readonly kind: 'unknown' }>

/** One that has one price for every unit. */
export type FlatTerm = Exclude<KnownTerm, { readonly kind: 'tiers' }>

/** What one event adds to one line. One of the two quantities is 0. */
export interface Charge {
  readonly rate: Rate
  readonly term: KnownTerm
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  /** Base units that are billed. */
  readonly quantity: Decimal
  /** Base units that are counted and shown, and not billed (R5, R8). */
  readonly waived: Decimal
}

/**
 * Why an event cannot be priced yet. It is kept whole, and billed once the price book covers it. The last two come
 * about when a later book makes a type or an operation known, and the event lacks what that needs.
 *
 * What the sender can put right is a rejection, and what only the price book can is held: `held/unmapped_unit` is a type
 * that says where the quantities of its data are, and leaves out a unit by which the operation is charged.
 */
export type HeldCode =
  | 'held/unknown_type'
  | 'held/unknown_operation'
  | 'held/price_unknown'
  | 'held/unmapped_unit'
  | 'held/unreadable'
  | 'held/missing_unit'

/**
 * Why no rate charges an accepted event: no item has the operation; items of the other component do, and none of its own;
 * its items are not in force, and it is said to have no fee then; or it is a level, which is charged hour by hour.
 */
export type NoFee = 'without_fee' | 'other_component' | 'not_in_force' | 'level'

export type Assessment =
  | { readonly outcome: 'accepted'; readonly charges: readonly Charge[]; readonly noFee?: NoFee }
  | { readonly outcome: 'held'; readonly code: HeldCode; readonly detail: string }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }

/** One of each: nearly all events without a fee are alike. */
const NO_FEE: Readonly<Record<NoFee, Assessment>> = {
  without_fee: { outcome: 'accepted', charges: [], noFee: 'without_fee' },
  other_component: { outcome: 'accepted', charges: [], noFee: 'other_component' },
  not_in_force: { outcome: 'accepted', charges: [], noFee: 'not_in_force' },
  level: { outcome: 'accepted', charges: [], noFee: 'level' },
}

/**
 * What a valid event is worth under a price book: the one rule for the answer to the sender, for bills, and
 * for checking bills. It depends on the event's content and hour alone.
 *
 * An operation under several items is charged under each that is in force. A known operation that no item of
 * its component lists has no fee (R3); one that is also said to have none has none where no item is in force. Nothing is
 * billed at zero, or at a later price, for want of a price.
 */
export function assess(book: PriceBook, event: Pick<UsageEvent, 'usage' | 'type' | 'hour'>): Assessment {
  const { usage } = event
  if (usage === undefined && book.eventTypes.has(event.type)) {
    return held(
      'held/unreadable',
      `Its data does not fit the event type ${event.type}, which became known later.`,
    )
  }
  if (usage === undefined) {
    return held('held/unknown_type', `The price book does not know the event type ${event.type}.`)
  }
  // A level is a fact of its own: what it costs is decided for each hour in which it lasts.
  if (usage.component === 'storage') {
    return ratesFor(book, 'storage', null).length > 0 ? NO_FEE.level : NO_FEE.without_fee
  }
  if (!book.operations.has(usage.operation)) {
    return held('held/unknown_operation', `The price book does not know the operation ${usage.operation}.`)
  }
  const rates = ratesFor(book, usage.component, usage.operation)
  if (rates.length === 0) {
    const other = usage.component === 'request' ? 'processing' : 'request'
    return ratesFor(book, other, usage.operation).length > 0 ? NO_FEE.other_component : NO_FEE.without_fee
  }
  return charge(book, { ...event, usage }, rates)
}

function charge(
  { freeOperations, eventTypes }: PriceBook,
  { usage, hour, type }: { usage: RequestUsage | ProcessingUsage; hour: Hour; type: string },
  rates: readonly Rate[],
): Assessment {
  const charges: Charge[] = []
  for (const rate of rates) {
    const term = termInForce(rate, hour)
    if (term === undefined) continue
    if (term.kind === 'unknown') return priceUnknown(usage.operation, rate, hour)
    const amount = measure(usage, rate.unit)
    if (amount === undefined && isBilled(rate, usage)) {
      const isMapped = eventTypes.get(type)?.quantities !== undefined
      return isMapped ? unmappedUnit(type, rate, usage.operation) : missingUnit(type, rate)
    }
    charges.push(chargeOf(rate, term, usage, amount ?? ZERO))
  }
  if (charges.length > 0) return { outcome: 'accepted', charges }
  if (freeOperations.has(usage.operation)) return NO_FEE.not_in_force
  return priceUnknown(usage.operation, rates[0]!, hour)
}

function chargeOf(
  rate: Rate,
  term: KnownTerm,
  usage: RequestUsage | ProcessingUsage,
  amount: Decimal,
): Charge {
  const { operation, project, region } = usage
  const billed = isBilled(rate, usage)
  const [quantity, waived] = billed ? [amount, ZERO] : [ZERO, amount]
  return { rate, term, operation, project, region, quantity, waived }
}

/** R4, R5: statuses decide for a request. R8: success decides for an operator. */
export function isBilled(rate: Rate, usage: RequestUsage | ProcessingUsage): boolean {
  if (usage.component === 'processing') return usage.succeeded
  return rate.billedStatuses.has(Math.floor(usage.status / 100))
}

/** What the price book has to say something about: the operation, or the type. */
export function heldSubject({ usage, type }: Pick<UsageEvent, 'usage' | 'type'>, code: HeldCode): string {
  const isOfType = code === 'held/unmapped_unit' || usage === undefined || usage.component === 'storage'
  return isOfType ? type : usage.operation
}

function held(code: HeldCode, detail: string): Assessment {
  return { outcome: 'held', code, detail }
}

function priceUnknown(operation: string, rate: Rate, hour: Hour): Assessment {
  const place = `${rate.item}/${rate.rate}`
  return held('held/price_unknown', `${operation} has no known price under ${place} at ${formatHour(hour)}.`)
}

function unmappedUnit(type: string, { item, rate, unit }: Rate, operation: string): Assessment {
  const what = `The event type ${type} has no ${unit} among its quantities`
  return held('held/unmapped_unit', `${what}, by which ${item}/${rate} charges ${operation}.`)
}

function missingUnit(type: string, { item, rate, unit }: Rate): Assessment {
  const missing = `data.quantities.${unit} is missing: ${item}/${rate} is charged by it.`
  const other = `Or say in the price book, under quantities of the event type ${type}, which field of data has it.`
  const detail = isBuiltIn(type) ? missing : `${missing} ${other}`
  return { outcome: 'rejected', rejection: reject('event/missing_unit', detail) }
}
