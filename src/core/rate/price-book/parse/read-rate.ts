import { ZERO } from '../../../money/decimal.ts'
import type { Component, Rate } from '../price-book.ts'
import { type Per, readPer, SIZE_NAMES, TIME_NAMES } from '../per.ts'
import {
  elementsOf,
  type Field,
  fieldsOf,
  type Keys,
  kindOf,
  operationsOf,
  placeOf,
  refuse,
} from './read-field.ts'
import { readHour } from './read-hour.ts'
import { readTerms, refuseOrder } from './read-terms.ts'

/** Operations that one rate lists: ten times the API of a large service. */
export const OPERATIONS_PER_RATE_MAX = 1000
/** The names that events may give to units (see readUsage). */
const UNIT = /^[A-Za-z0-9._:-]{1,64}$/

const PRICES = '[{ from: "2025-01-01T00:00:00Z", price: "0.028" }]'
const KEYS: Keys = {
  required: { operations: '[RenderPage]', unit: 'call', per: '1000', prices: PRICES },
  optional: ['billedStatuses', 'until'],
}
const STORAGE_KEYS: Keys = {
  required: { unit: 'byte', per: 'GB-hour', prices: PRICES },
  optional: ['operations', 'billedStatuses', 'until'],
}
/** While the component is not known. */
const ANY_KEYS: Keys = {
  required: { unit: 'call', per: '1000', prices: PRICES },
  optional: ['operations', 'billedStatuses', 'until'],
}
const EXAMPLE = 'write operations, unit, per and prices'
const STORAGE_EXAMPLE = 'write unit: byte, per: GB-hour and prices'
const OPERATIONS = { max: OPERATIONS_PER_RATE_MAX, example: 'write [RenderPage]' }

/** R4 and R5: all but 5xx. */
const BILLED_BY_DEFAULT: ReadonlySet<number> = new Set([1, 2, 3, 4])
const NONE: ReadonlySet<number> = new Set()

/**
 * One rate of an item. Valid only if nothing was reported.
 * @param component undefined if the item's was refused: rules that depend on it are not checked
 */
export function readRate(
  field: Field,
  { item, rate, component }: { item: string; rate: string; component: Component | undefined },
): Rate | undefined {
  const isStorage = component === 'storage'
  const keys = isStorage ? STORAGE_KEYS : component ? KEYS : ANY_KEYS
  const fields = fieldsOf(field, keys, isStorage ? STORAGE_EXAMPLE : EXAMPLE)
  if (!fields) return undefined
  const unit = fields.has('unit') ? readUnit(fields.get('unit')!, component) : ''
  const per = fields.has('per') ? readPerOf(fields.get('per')!, unit, component) : undefined
  const pricingUnit = per?.kind === 'count' ? `${per.text} ${unit}` : (per?.text ?? '')
  const upToUnit = per && { text: pricingUnit, units: per.units }
  const terms = fields.has('prices') ? readTerms(fields.get('prices')!, upToUnit) : []
  const untilField = fields.get('until')
  const until = untilField && readHour(untilField)
  const lastFrom = terms.at(-1)?.from
  if (until !== undefined && lastFrom !== undefined && until <= lastFrom) refuseOrder(untilField!)
  return {
    item,
    rate,
    component: component ?? 'processing',
    operations: readOperations(fields.get('operations'), component),
    unit,
    baseUnit: isStorage ? `${unit}-millisecond` : unit,
    per: per?.units ?? ZERO,
    pricingUnit,
    billedStatuses: readStatuses(fields.get('billedStatuses'), component),
    terms,
    until,
  }
}

function readOperations(field: Field | undefined, component: Component | undefined): readonly string[] {
  if (!field) return []
  if (component !== 'storage') return operationsOf(field, OPERATIONS)
  const message = `${placeOf(field)} is in a storage rate, which is charged for every level.`
  refuse(field, 'price_book/not_allowed_here', message, 'remove operations')
  return []
}

function readUnit(field: Field, component: Component | undefined): string {
  const { value } = field
  if (typeof value !== 'string' || !UNIT.test(value)) {
    const message = `${placeOf(field)} is ${kindOf(value)}, not a unit.`
    refuse(field, 'price_book/wrong_unit', message, 'write 1 to 64 of A-Z a-z 0-9 . _ : -, such as call')
    return ''
  }
  const only = component === 'request' ? 'call' : component === 'storage' ? 'byte' : value
  if (value !== only) {
    const message = `${placeOf(field)} is ${kindOf(value)} in a ${component} rate.`
    refuse(field, 'price_book/wrong_unit', message, `write unit: ${only}`)
  }
  return value
}

/** `per`, if it suits the unit: time needs milliseconds, size bytes, and a size-hour stored bytes. */
function readPerOf(field: Field, unit: string, component: Component | undefined): Per | undefined {
  const { value } = field
  const per = typeof value === 'number' || typeof value === 'string' ? readPer(value) : undefined
  if (!per) {
    const names = [...TIME_NAMES, ...SIZE_NAMES, 'GB-hour'].join(', ')
    const fix = `write a whole number above 0 (over 2^53 in quotes), or one of ${names}`
    return refuse(field, 'price_book/wrong_per', `${placeOf(field)} is ${kindOf(value)}.`, fix)
  }
  const wrong = unit === '' ? undefined : mismatch(per, unit, component)
  if (!wrong) return per
  const message = `${placeOf(field)} is ${per.text}, which does not suit the unit ${unit}.`
  return refuse(field, 'price_book/wrong_per', message, wrong)
}

/** What to write instead, or undefined if `per` suits the unit and the component. */
function mismatch(per: Per, unit: string, component: Component | undefined): string | undefined {
  if (component === 'storage')
    return per.kind === 'level' ? undefined : 'write a size and hour, such as GB-hour'
  if (component === 'request' && per.kind !== 'count') return 'write a number of calls, such as 1000'
  if (per.kind === 'level' && component) return 'write a size such as GB; a size-hour is for storage'
  if (per.kind === 'time' && unit !== 'millisecond') return 'write a number, or unit: millisecond'
  if (per.kind === 'size' && unit !== 'byte') return 'write a number, or unit: byte'
  return undefined
}

/** `[2xx, 4xx]` as hundreds. Absent: 1xx to 4xx for requests. */
function readStatuses(field: Field | undefined, component: Component | undefined): ReadonlySet<number> {
  if (!field) return component === 'request' ? BILLED_BY_DEFAULT : NONE
  if (component !== undefined && component !== 'request') {
    const message = `${placeOf(field)} is in a ${component} rate; statuses decide for requests alone.`
    refuse(field, 'price_book/not_allowed_here', message, 'remove billedStatuses')
    return NONE
  }
  const statuses = new Set<number>()
  for (const element of elementsOf(field, { max: 5, example: 'write [1xx, 2xx, 3xx, 4xx]' }) ?? []) {
    const status = typeof element.value === 'string' ? /^([1-5])xx$/.exec(element.value) : null
    const message = `${placeOf(element)} is ${kindOf(element.value)}`
    if (!status) refuse(element, 'price_book/not_a_status', `${message}.`, 'write 1xx, 2xx, 3xx, 4xx or 5xx')
    else if (statuses.has(+status[1]!)) {
      refuse(element, 'price_book/duplicate', `${message} a second time.`, 'remove one of the two')
    } else statuses.add(+status[1]!)
  }
  return statuses
}
