import { type Decimal, ONE } from '../money/decimal.ts'
import type { Json } from '../text/canonical-json.ts'
import { readQuantity, readWhole } from './read-quantity.ts'
import { asName, NAME_BYTES_MAX, readText } from './read-text.ts'
import { isRejection, reject, type Rejection } from './rejection.ts'
import {
  type EventType,
  ONE_EACH,
  type ProcessingUsage,
  type RequestUsage,
  type StorageUsage,
  type Usage,
} from './usage.ts'

type Data = { readonly [key: string]: Json }

/** Units that one event may name: far above what an operator measures, and it bounds the work of one event. */
export const UNITS_MAX = 32
const UNIT_NAME = /^[A-Za-z0-9._:-]{1,64}$/

/**
 * Read what an event's data says was used (ARCHITECTURE.md). Unknown fields are left alone: they are kept with
 * the event and have no effect on bills.
 * @returns `event/invalid_data`, `event/invalid_quantity`, `event/invalid_text`, `event/too_long`
 */
export function readUsage(type: EventType, data: Data): Usage | Rejection {
  switch (type.component) {
    case 'request':
      return readRequest(type, data)
    case 'processing':
      return readProcessing(type, data)
    case 'storage':
      return readStorage(data)
  }
}

function readRequest(type: EventType, data: Data): RequestUsage | Rejection {
  const operation = readOperation(type, data)
  if (typeof operation !== 'string') return operation
  const place = readPlace(data)
  if (isRejection(place)) return place
  const { status } = data
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599) {
    return reject('event/invalid_data', 'data.status is not an HTTP status: send a number from 100 to 599.')
  }
  const count = data['count'] === undefined ? ONE : readWhole(data['count'], 'data.count')
  if (isRejection(count)) return count
  return { component: 'request', operation, status, count, ...place }
}

function readProcessing(type: EventType, data: Data): ProcessingUsage | Rejection {
  // What the data of another system calls its operation may be anything: the price book's word is the first.
  const operation = (type.quantities && type.operation) ?? readOperation(type, data)
  if (typeof operation !== 'string') return operation
  const place = readPlace(data)
  if (isRejection(place)) return place
  if (type.quantities) return readCompat(type.quantities, data, { operation, ...place })
  const succeeded = readOutcome(data)
  if (typeof succeeded !== 'boolean') return succeeded
  const quantities = readQuantities(data['quantities'])
  if (isRejection(quantities)) return quantities
  return { component: 'processing', operation, succeeded, quantities, ...place }
}

/** Data of a declared event type: each event is work that was completed, and its quantities are where the price book says. */
function readCompat(
  fields: NonNullable<EventType['quantities']>,
  data: Data,
  work: Pick<ProcessingUsage, 'operation' | 'project' | 'region'>,
): ProcessingUsage | Rejection {
  const quantities = new Map<string, Decimal>()
  for (const [unit, field] of fields) {
    const quantity = field === ONE_EACH ? ONE : readMapped(own(data, field), field, unit)
    if (isRejection(quantity)) return quantity
    quantities.set(unit, quantity)
  }
  return { component: 'processing', succeeded: true, quantities, ...work }
}

/** @param unit which the price book takes from the field */
function readMapped(value: Json | undefined, field: string, unit: string): Decimal | Rejection {
  if (value !== undefined && value !== null) return readQuantity(value, `data.${field}`)
  const fix = `send it as a decimal string such as "12.5": the price book takes the ${unit} from it`
  return reject('event/invalid_quantity', `data.${field} is missing: ${fix}.`)
}

/** Foreign names may be any: those of JavaScript's prototypes are no fields. */
function own(data: Data, field: string): Json | undefined {
  return Object.hasOwn(data, field) ? data[field] : undefined
}

function readStorage(data: Data): StorageUsage | Rejection {
  const place = readPlace(data)
  if (isRejection(place)) return place
  const dataset = readName(data, 'dataset')
  if (isRejection(dataset)) return dataset
  const bytes = readWhole(data['bytes'], 'data.bytes')
  if (isRejection(bytes)) return bytes
  return { component: 'storage', dataset, bytes, ...place }
}

function readOperation(type: EventType, data: Data): string | Rejection {
  const named = asName(readField(data, 'operation'), 'data.operation', NAME_BYTES_MAX)
  const operation = named ?? type.operation
  return operation ?? reject('event/invalid_data', 'data.operation is missing: name the API operation.')
}

/**
 * Did it succeed? Without a mode the operator is synchronous, and one that answered has, unless it says otherwise (R7,
 * R8). Null is as good as absent.
 */
function readOutcome({ mode, outcome }: Data): boolean | Rejection {
  const isSync = mode === 'sync' || mode === undefined || mode === null
  if (!isSync && mode !== 'async') {
    const fix = 'send one of them, or leave it out for "sync"'
    return reject('event/invalid_data', `data.mode is neither "sync" nor "async": ${fix}.`)
  }
  if (outcome === 'succeeded') return true
  if (outcome === 'failed') return false
  if (outcome !== undefined && outcome !== null) {
    return reject('event/invalid_data', 'data.outcome is neither "succeeded" nor "failed": send one of them.')
  }
  const detail = 'data.outcome is missing: an async operator has "succeeded" or "failed", send which.'
  return isSync || reject('event/invalid_data', detail)
}

function readQuantities(value: Json | undefined): ReadonlyMap<string, Decimal> | Rejection {
  const quantities = new Map<string, Decimal>()
  if (value === undefined) return quantities
  if (!isObject(value)) {
    return reject('event/invalid_data', 'data.quantities is not an object: send {"call": 1} or the like.')
  }
  const entries = Object.entries(value)
  if (entries.length > UNITS_MAX) {
    return reject('event/invalid_data', `data.quantities has more than ${UNITS_MAX} units: send fewer.`)
  }
  for (const [unit, amount] of entries) {
    if (!UNIT_NAME.test(unit)) {
      return reject(
        'event/invalid_data',
        `data.quantities has a unit that is no name: name units like "call".`,
      )
    }
    const quantity = readQuantity(amount, `data.quantities.${unit}`)
    if (isRejection(quantity)) return quantity
    quantities.set(unit, quantity)
  }
  return quantities
}

function readPlace(data: Data): { project: string | null; region: string | null } | Rejection {
  const project = readName(data, 'project')
  if (isRejection(project)) return project
  const region = readName(data, 'region')
  return isRejection(region) ? region : { project, region }
}

function readName(data: Data, field: string): string | null | Rejection {
  return readField(data, field) ?? null
}

function readField(data: Data, field: string): string | undefined | Rejection {
  const value = data[field]
  if (typeof value === 'string' || value === undefined || value === null) {
    return readText(value, `data.${field}`, NAME_BYTES_MAX)
  }
  return reject('event/invalid_data', `data.${field} is not a string: send it as one.`)
}

export function isObject(value: Json | undefined): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
