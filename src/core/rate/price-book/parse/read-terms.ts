import { decimal, fitsDigits, isPlain, plain } from '../../../money/decimal.ts'
import { refuseText } from '../../../text/well-formed.ts'
import type { Hour } from '../../../time/hour.ts'
import type { PriceTerm } from '../price-book.ts'
import { elementsOf, type Field, fieldsOf, type Keys, kindOf, placeOf, refuse } from './read-field.ts'
import { readHour } from './read-hour.ts'

/** Prices of one rate: a change every month for 80 years. Bounds the search for the price in force. */
export const PRICES_PER_RATE_MAX = 1000
/** Characters (code points) of the reason after `free:`. It is shown on every line. */
export const REASON_MAX = 200

const KEYS: Keys = {
  required: { from: '"2025-01-01T00:00:00Z"' },
  optional: ['price', 'free', 'illustrative'],
}
const EXAMPLE = 'write { from: "2025-01-01T00:00:00Z", price: "0.028" }'
const CHOICES = 'write price: "0.028", price: unknown or free: until announced'

/** What a term costs, without its start. */
type Cost =
  | Pick<Extract<PriceTerm, { kind: 'price' }>, 'kind' | 'unitPrice' | 'illustrative'>
  | Pick<Extract<PriceTerm, { kind: 'free' }>, 'kind' | 'reason'>
  | Pick<Extract<PriceTerm, { kind: 'unknown' }>, 'kind'>

/** The terms of a rate, complete only if nothing was reported. Also reports `price_book/not_ascending`. */
export function readTerms(field: Field): readonly PriceTerm[] {
  const terms: PriceTerm[] = []
  let last: Hour | undefined
  for (const element of elementsOf(field, { max: PRICES_PER_RATE_MAX, example: `${EXAMPLE} in a list` }) ??
    []) {
    const fields = fieldsOf(element, KEYS, EXAMPLE)
    if (!fields) continue
    const fromField = fields.get('from')
    const from = fromField && readHour(fromField)
    const cost = readCost(element, fields)
    if (from === undefined) continue
    if (last !== undefined && from <= last) refuseOrder(fromField!)
    last = from
    if (cost) terms.push({ from, ...cost })
  }
  return terms
}

export function refuseOrder(field: Field): undefined {
  const message = `${placeOf(field)} is not after the time before it.`
  const fix = 'write times in ascending order, each once'
  return refuse(field, 'price_book/not_ascending', message, fix)
}

function readCost(term: Field, fields: ReadonlyMap<string, Field>): Cost | undefined {
  const [priceField, freeField, markField] = [
    fields.get('price'),
    fields.get('free'),
    fields.get('illustrative'),
  ]
  const cost = priceField ? readPrice(priceField) : freeField && readFree(freeField)
  if (priceField && freeField) {
    const message = `${placeOf(term)} has both price and free.`
    refuse(term, 'price_book/price_or_free', message, 'remove one of the two')
  }
  // A misspelt key was reported already: `pirce` is not a missing price as well.
  const isComplete = [...fields.keys()].every((key) => key === 'from' || KEYS.optional.includes(key))
  if (!priceField && !freeField && isComplete) {
    refuse(term, 'price_book/price_or_free', `${placeOf(term)} has neither price nor free.`, CHOICES)
  }
  if (!markField) return cost
  if (markField.value !== true) {
    const message = `${placeOf(markField)} is ${kindOf(markField.value)}.`
    refuse(markField, 'price_book/wrong_type', message, 'write illustrative: true, or remove it')
  }
  if (cost?.kind === 'price') return { ...cost, illustrative: true }
  const message = `${placeOf(markField)} marks a term that has no price.`
  if (cost) refuse(markField, 'price_book/not_allowed_here', message, 'remove illustrative')
  return cost
}

/** A quoted decimal of at least 0, or `unknown`. Null is nothing and never 0; a number has lost its digits. */
function readPrice(field: Field): Cost | undefined {
  const { value } = field
  if (value === 'unknown') return { kind: 'unknown' }
  if (typeof value === 'number') return refuseNumber(field, value)
  const message = `${placeOf(field)} is ${kindOf(value)}, not a price.`
  if (typeof value !== 'string') return refuse(field, 'price_book/not_a_price', message, CHOICES)
  if (value.startsWith('-')) {
    return refuse(field, 'price_book/not_a_price', `${placeOf(field)} is below 0.`, 'write 0 or more')
  }
  if (!isPlain(value)) {
    const fix = 'write digits and at most one point, such as "0.028", or unknown'
    return refuse(field, 'price_book/not_a_price', message, fix)
  }
  if (fitsDigits(value)) return { kind: 'price', unitPrice: decimal(value), illustrative: false }
  const fix = 'write at most 30 digits before the point and 12 after it'
  return refuse(field, 'price_book/not_a_price', `${placeOf(field)} has too many digits.`, fix)
}

function refuseNumber(field: Field, value: number): undefined {
  const text = String(value)
  const fix = isPlain(text) ? `write it in quotes: "${plain(decimal(text))}"` : 'write it in quotes'
  const message = `${placeOf(field)} is the number ${text}, which may have lost digits.`
  return refuse(field, 'price_book/price_not_quoted', message, fix)
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
