import {
  compare,
  type Decimal,
  decimal,
  fitsDigits,
  isPlain,
  isZero,
  plain,
  times,
} from '../../../money/decimal.ts'
import type { Tier } from '../price-book.ts'
import { elementsOf, type Field, fieldsOf, type Keys, kindOf, placeOf, refuse } from './read-field.ts'
import { readUnitPrice } from './read-unit-price.ts'

/** Tiers of one price. The finest public lists have about ten. */
export const TIERS_PER_PRICE_MAX = 100

const KEYS: Keys = { required: { price: '"0.028"' }, optional: ['upTo'] }
const EXAMPLE = 'write tiers: [{ upTo: "1000", price: "0" }, { price: "0.028" }]'

/** What `upTo` may be counted in, beside base units. Undefined where the rate's own words were refused. */
export interface PricingUnit {
  readonly text: string
  readonly units: Decimal
}

/** The tiers of one term: complete only if nothing was reported. Also reports `price_book/not_a_tier`. */
export function readTiers(field: Field, unit: PricingUnit | undefined): readonly Tier[] {
  const elements = elementsOf(field, { max: TIERS_PER_PRICE_MAX, example: EXAMPLE }) ?? []
  const tiers: Tier[] = []
  for (const [index, element] of elements.entries()) {
    const fields = fieldsOf(element, KEYS, EXAMPLE)
    if (!fields) continue
    const [priceField, endField] = [fields.get('price'), fields.get('upTo')]
    const unitPrice = priceField && readUnitPrice(priceField, 'write price: "0.028"')
    // A misspelt key was reported already: it is not a missing upTo as well.
    const isMisspelt = [...fields.keys()].some((key) => key !== 'price' && key !== 'upTo')
    const isLast = index === elements.length - 1 || (isMisspelt && !endField)
    const upTo = readEnd(element, endField, { isLast, unit })
    const before = tiers.at(-1)?.upTo
    if (endField && upTo && before && compare(upTo, before) <= 0) refuseFall(endField, before)
    if (unitPrice) tiers.push({ kind: 'price', upTo, unitPrice })
  }
  if (elements.length === 1) {
    const message = `${placeOf(field)} has one tier.`
    refuse(field, 'price_book/not_a_tier', message, 'write price: instead, or add a tier')
  }
  return tiers
}

function readEnd(
  tier: Field,
  field: Field | undefined,
  { isLast, unit }: { readonly isLast: boolean; readonly unit: PricingUnit | undefined },
): Decimal | undefined {
  if (isLast) {
    const message = field && `${placeOf(field)} ends the last tier, and usage above it would have no price.`
    if (field) refuse(field, 'price_book/not_a_tier', message!, 'remove upTo, or add a tier without it')
    return undefined
  }
  if (!field) {
    const message = `${placeOf(tier)} has no upTo, and tiers follow.`
    return refuse(
      tier,
      'price_book/not_a_tier',
      message,
      'add upTo: with the last unit of the tier, such as "1000"',
    )
  }
  return readUpTo(field, unit)
}

/** `"1000000"` base units, or a number of pricing units: `"1000 GB-hour"`. */
function readUpTo(field: Field, unit: PricingUnit | undefined): Decimal | undefined {
  const { value } = field
  const example = unit === undefined ? '"1000"' : `"1000" or "1000 ${unit.text}"`
  if (typeof value === 'number') {
    const fix =
      Number.isSafeInteger(value) && value > 0 ? `write it in quotes: "${value}"` : `write ${example}`
    const message = `${placeOf(field)} is the number ${value}, which may have lost digits.`
    return refuse(field, 'price_book/price_not_quoted', message, fix)
  }
  const [, digits = '', name] = (typeof value === 'string' && /^(\S+)(?: (.+))?$/.exec(value)) || []
  const isCount = isPlain(digits) && fitsDigits(digits) && !digits.startsWith('-') && !isZero(decimal(digits))
  if (!isCount) {
    const message = `${placeOf(field)} is ${kindOf(value)}, not a quantity above 0.`
    return refuse(field, 'price_book/not_a_tier', message, `write ${example}`)
  }
  if (name === undefined || unit === undefined) return decimal(digits)
  if (name === unit.text) return times(decimal(digits), unit.units)
  const message = `${placeOf(field)} is in ${kindOf(name).replace('the text ', '')}, and the rate is priced per ${unit.text}.`
  return refuse(field, 'price_book/not_a_tier', message, `write ${example}`)
}

function refuseFall(field: Field, before: Decimal): void {
  const message = `${placeOf(field)} is not above the tier before it, which ends at ${plain(before)}.`
  refuse(field, 'price_book/tier_not_ascending', message, 'write tiers in ascending order, each upTo once')
}
