import { refuseText } from '../../../text/well-formed.ts'
import type { Hour } from '../../../time/hour.ts'
import type { ListTerm } from '../../price-list/price-list.ts'
import type { PriceTerm } from '../price-book.ts'
import { elementsOf, type Field, fieldsOf, type Keys, kindOf, placeOf, refuse } from './read-field.ts'
import { readHour } from './read-hour.ts'
import { type PricingUnit, readTiers } from './read-tiers.ts'
import { readUnitPrice } from './read-unit-price.ts'

/** Prices of one rate: a change every month for 80 years. Bounds the search for the price in force. */
export const PRICES_PER_RATE_MAX = 1000
/** Characters (code points) of the reason after `free:`. It is shown on every line. */
export const REASON_MAX = 200

const COSTS = ['price', 'tiers', 'free'] as const
const KEYS: Keys = {
  required: { from: '"2025-01-01T00:00:00Z"' },
  optional: ['price', 'tiers', 'free', 'illustrative'],
}
const EXAMPLE = 'write { from: "2025-01-01T00:00:00Z", price: "0.028" }'
const CHOICES = 'write price: "0.028", price: unknown, tiers: or free: until announced'

/** What a term costs, without its start. */
type Cost =
  | Pick<Extract<PriceTerm, { kind: 'price' }>, 'kind' | 'unitPrice' | 'illustrative'>
  | Pick<Extract<PriceTerm, { kind: 'tiers' }>, 'kind' | 'tiers' | 'illustrative'>
  | Pick<Extract<PriceTerm, { kind: 'free' }>, 'kind' | 'reason'>
  | Pick<Extract<PriceTerm, { kind: 'unknown' }>, 'kind'>

/**
 * The terms of a rate, complete only if nothing was reported. Also reports `price_book/not_ascending` and
 * `price_book/tiers_after_unknown`.
 * @param unit what `upTo` of a tier may be counted in; undefined if that was refused
 */
export function readTerms(field: Field, unit: PricingUnit | undefined): readonly PriceTerm[] {
  return readTermsWith(field, unit, KEYS).map(({ term }) => term)
}

interface ReadTerm {
  readonly term: PriceTerm
  readonly fields: ReadonlyMap<string, Field>
}

function readTermsWith(field: Field, unit: PricingUnit | undefined, keys: Keys): readonly ReadTerm[] {
  const terms: ReadTerm[] = []
  let last: Hour | undefined
  for (const element of elementsOf(field, { max: PRICES_PER_RATE_MAX, example: `${EXAMPLE} in a list` }) ??
    []) {
    const fields = fieldsOf(element, keys, EXAMPLE)
    if (!fields) continue
    const fromField = fields.get('from')
    const from = fromField && readHour(fromField)
    const cost = readCost(element, fields, unit)
    if (from === undefined) continue
    if (last !== undefined && from <= last) refuseOrder(fromField!)
    last = from
    if (cost?.kind === 'tiers' && terms.at(-1)?.term.kind === 'unknown') refuseTiersAfterUnknown(element)
    if (cost) terms.push({ term: { from, ...cost }, fields })
  }
  return terms
}

const LIST_TERM_KEYS: Keys = { ...KEYS, optional: [...COSTS, 'evenIfFree'] }

/** The terms that a price list has for a rate: as those of a book, and each has a price. */
export function readListTerms(field: Field, unit: PricingUnit): readonly ListTerm[] {
  return readTermsWith(field, unit, LIST_TERM_KEYS).flatMap(({ term, fields }): ListTerm[] => {
    const flag = fields.get('evenIfFree')
    if (flag && flag.value !== true) {
      const message = `${placeOf(flag)} is ${kindOf(flag.value)}.`
      refuse(flag, 'price_book/wrong_type', message, 'write evenIfFree: true, or remove it')
    }
    if (term.kind !== 'unknown') return [{ ...term, evenIfFree: flag !== undefined }]
    const message = `${placeOf(fields.get('price')!)} is unknown, and a price list has prices.`
    refuse(
      fields.get('price')!,
      'price_list/unknown_price',
      message,
      'write a price, tiers or free, or remove it',
    )
    return []
  })
}

export function refuseOrder(field: Field): undefined {
  const message = `${placeOf(field)} is not after the time before it.`
  const fix = 'write times in ascending order, each once'
  return refuse(field, 'price_book/not_ascending', message, fix)
}

/**
 * A price that was unknown may be filled in later, for hours that have begun. Where tiers follow, that would move the
 * position at which their usage was billed.
 */
function refuseTiersAfterUnknown(term: Field): void {
  const message = `${placeOf(term)} has tiers, and the price before it is unknown.`
  refuse(term, 'price_book/tiers_after_unknown', message, 'fill in the price before it in the same version')
}

function readCost(
  term: Field,
  fields: ReadonlyMap<string, Field>,
  unit: PricingUnit | undefined,
): Cost | undefined {
  const [priceField, tiersField, freeField] = COSTS.map((key) => fields.get(key))
  const markField = fields.get('illustrative')
  const written = COSTS.filter((key) => fields.has(key))
  const cost = priceField
    ? readPrice(priceField)
    : tiersField
      ? ({ kind: 'tiers', tiers: readTiers(tiersField, unit), illustrative: false } as const)
      : freeField && readFree(freeField)
  if (written.length > 1) {
    const message = `${placeOf(term)} has both ${written[0]} and ${written[1]}.`
    refuse(term, 'price_book/price_or_free', message, 'remove one of the two')
  }
  // A misspelt key was reported already: `pirce` is not a missing price as well.
  const isComplete = [...fields.keys()].every(
    (key) => key === 'from' || KEYS.optional.includes(key) || LIST_TERM_KEYS.optional.includes(key),
  )
  if (written.length === 0 && isComplete) {
    refuse(term, 'price_book/price_or_free', `${placeOf(term)} has neither price nor free.`, CHOICES)
  }
  if (!markField) return cost
  if (markField.value !== true) {
    const message = `${placeOf(markField)} is ${kindOf(markField.value)}.`
    refuse(markField, 'price_book/wrong_type', message, 'write illustrative: true, or remove it')
  }
  if (cost?.kind === 'price' || cost?.kind === 'tiers') return { ...cost, illustrative: true }
  const message = `${placeOf(markField)} marks a term that has no price.`
  if (cost) refuse(markField, 'price_book/not_allowed_here', message, 'remove illustrative')
  return cost
}

/** A quoted decimal of at least 0, or `unknown`. */
function readPrice(field: Field): Cost | undefined {
  if (field.value === 'unknown') return { kind: 'unknown' }
  const unitPrice = readUnitPrice(field, CHOICES)
  return unitPrice && { kind: 'price', unitPrice, illustrative: false }
}

function readFree(field: Field): Cost | undefined {
  const { value } = field
  const isShown = typeof value === 'string' && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value) && !refuseText(value)
  if (isShown && /[^\p{Z}]/u.test(value) && Array.from(value).length <= REASON_MAX)
    return { kind: 'free', reason: value }
  const message = `${placeOf(field)} is ${kindOf(value)}, not a short reason.`
  const fix = `write why in one line of 1 to ${REASON_MAX} characters, such as free: until announced`
  return refuse(field, 'price_book/not_a_reason', message, fix)
}
