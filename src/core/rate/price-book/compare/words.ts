import type { EventType } from '../../../ingest/usage.ts'
import { compare, plain } from '../../../money/decimal.ts'
import { compareBytes } from '../../../text/well-formed.ts'
import { formatHourStart, type Hour } from '../../../time/hour.ts'
import type { PriceTerm, Rate, Tier } from '../price-book.ts'
import { quote } from '../parse/problem.ts'

/** Items, rates and terms of two price books: when they are the same, and how they are named to people. */

/** Not a price: what a rate costs before its first term, from its `until` on, or where there is no such rate. */
export const NOT_IN_FORCE = 'not in force'

/** Names of operations or statuses that one sentence repeats. */
const NAMED_MAX = 3

export function placeOfRate({ item, rate }: Pick<Rate, 'item' | 'rate'>): string {
  return `${item}/${rate}`
}

/** Rates of two books are the same one if component, item and name agree. U+0000 occurs in no name. */
export function rateKey({ component, item, rate }: Rate): string {
  return `${component}\0${item}\0${rate}`
}

/** Is the same charged? The mark `illustrative` is not part of a price, and neither is how it was written. */
export function samePrice(a: PriceTerm | undefined, b: PriceTerm | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.kind === 'price') return b.kind === 'price' && compare(a.unitPrice, b.unitPrice) === 0
  if (a.kind === 'tiers') return b.kind === 'tiers' && sameTiers(a.tiers, b.tiers)
  if (a.kind === 'free') return b.kind === 'free' && a.reason === b.reason
  return b.kind === 'unknown'
}

function sameTiers(a: readonly Tier[], b: readonly Tier[]): boolean {
  return a.length === b.length && a.every((tier, at) => sameTier(tier, b[at]!))
}

function sameTier(a: Tier, b: Tier): boolean {
  const sameEnd = a.upTo && b.upTo ? compare(a.upTo, b.upTo) === 0 : a.upTo === b.upTo
  return sameEnd && compare(a.unitPrice, b.unitPrice) === 0
}

/** Do both count the same, and is a price of both for as much of it? The words on a bill's line are part of it. */
export function sameUnit(a: Rate, b: Rate): boolean {
  return a.unit === b.unit && a.pricingUnit === b.pricingUnit && compare(a.per, b.per) === 0
}

export function sameStatuses(a: Rate, b: Rate): boolean {
  return (
    a.billedStatuses.size === b.billedStatuses.size &&
    [...a.billedStatuses].every((hundred) => b.billedStatuses.has(hundred))
  )
}

/** `0.028`, `0 up to 1000, then 0.028`, `free: until announced`, `unknown` or `not in force`. */
export function priceWords(term: PriceTerm | undefined): string {
  if (term === undefined) return NOT_IN_FORCE
  if (term.kind === 'price') return plain(term.unitPrice)
  if (term.kind === 'tiers') return tierWords(term.tiers)
  return term.kind === 'free' ? `free: ${term.reason}` : 'unknown'
}

function tierWords(tiers: readonly Tier[]): string {
  return tiers
    .map(({ upTo, unitPrice }) => plain(unitPrice) + (upTo ? ` up to ${plain(upTo)}` : ''))
    .join(', then ')
}

/** As it is written in a price book, for advice. */
export function priceAsWritten(term: PriceTerm): string {
  if (term.kind === 'price') return `price: "${plain(term.unitPrice)}"`
  if (term.kind === 'tiers') return `tiers: [${term.tiers.map(tierAsWritten).join(', ')}]`
  return term.kind === 'free' ? `free: ${quote(term.reason)}` : 'price: unknown'
}

function tierAsWritten({ upTo, unitPrice }: Tier): string {
  return `{ ${upTo ? `upTo: "${plain(upTo)}", ` : ''}price: "${plain(unitPrice)}" }`
}

/** What one price is for: `1000 call`, `minute`, `GB-hour`. It tells the unit too. */
export function unitWords({ pricingUnit }: Rate): string {
  return pricingUnit
}

/** `1xx, 2xx, 4xx`, in order. */
export function statusWords({ billedStatuses }: Rate): string {
  return [...billedStatuses]
    .toSorted((a, b) => a - b)
    .map((hundred) => `${hundred}xx`)
    .join(', ')
}

/** `processing usage of RenderPage`, or `unknown`. */
export function eventTypeWords(type: EventType | undefined): string {
  if (type === undefined) return 'unknown'
  const operation = type.operation === undefined ? '' : ` of ${type.operation}`
  const quantities = quantitiesAsWritten(type)
  return `${type.component} usage${operation}${quantities === '' ? '' : ` with ${quantities}`}`
}

/** `{ call: 1, token: tokens }`, in the order of the units: as it is written in a price book. Empty if there are none. */
function quantitiesAsWritten({ quantities }: EventType): string {
  if (quantities === undefined) return ''
  const entries = [...quantities].toSorted(([a], [b]) => compareBytes(a, b))
  const written = entries.map(
    ([unit, field]) => `${unit}: ${typeof field === 'string' ? quote(field) : field}`,
  )
  return `{ ${written.join(', ')} }`
}

/** As it is written in a price book, for advice. */
export function typeAsWritten(type: EventType): string {
  const operation = type.operation === undefined ? '' : `, operation: ${type.operation}`
  const quantities = quantitiesAsWritten(type)
  return `{ component: ${type.component}${operation}${quantities === '' ? '' : `, quantities: ${quantities}`} }`
}

/** `A`, `A and B`, `A, B, C and 4 more`. */
export function namesWords(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX
  if (rest > 0) return `${names.slice(0, NAMED_MAX).join(', ')} and ${rest} more`
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** An hour as a price book writes it. */
export function asWritten(hour: Hour): string {
  return `"${formatHourStart(hour)}"`
}
