import { TYPE_BYTES_MAX } from '../../../ingest/read-text.ts'
import { nameTrouble } from '../../../text/name.ts'
import {
  BUILT_IN_EVENT_TYPES,
  BUILT_IN_PREFIX,
  type EventType,
  isBuiltIn,
  ONE_EACH,
} from '../../../ingest/usage.ts'
import { nearest } from '../../../text/nearest.ts'
import { readComponent } from './read-component.ts'
import {
  entriesOf,
  type Field,
  fieldsOf,
  isOperation,
  type Keys,
  kindOf,
  placeOf,
  refuse,
  refuseSize,
} from './read-field.ts'
import { quote } from './problem.ts'

/** Event types that a book declares: formats of other systems, which somebody has to know. */
export const EVENT_TYPES_MAX = 100

const KEYS: Keys = {
  required: { component: 'request, processing or storage' },
  optional: ['operation', 'quantities'],
}
const EXAMPLE = 'write { component: processing, operation: RenderPage }'

/**
 * The declared event types beside those of every book.
 * @param operations every operation that the book knows: an event type can stand for one of them.
 *   Undefined if that is not known, and then not checked
 */
export function readEventTypes(
  field: Field | undefined,
  operations: ReadonlySet<string> | undefined,
): ReadonlyMap<string, EventType> {
  const types = new Map(BUILT_IN_EVENT_TYPES)
  const entries = field && entriesOf(field, 'write com.acme.render: with its component')
  if (!entries || !refuseSize(field, entries.size, { max: EVENT_TYPES_MAX, example: 'remove eventTypes' })) {
    return types
  }
  for (const [type, child] of entries) {
    refuseType(child, type)
    const fields = fieldsOf(child, KEYS, EXAMPLE)
    const componentField = fields?.get('component')
    const component = componentField && readComponent(componentField)
    const operation = fields?.get('operation')
    if (operation) refuseOperation(operation, component, operations)
    const quantitiesField = fields?.get('quantities')
    const quantities = quantitiesField && readQuantities(quantitiesField, component)
    if (!component) continue
    const name = operation?.value as string | undefined
    types.set(type, { component, operation: name, ...(quantities ? { quantities } : {}) })
  }
  return types
}

function refuseType(field: Field, type: string): void {
  const trouble = nameTrouble(type, TYPE_BYTES_MAX)
  if (trouble !== undefined) {
    const message = `The event type ${quote(type)} ${trouble}.`
    refuse(field, 'price_book/not_a_name', message, 'write it without, as events name it')
  }
  if (!isBuiltIn(type)) return
  const message = `The event type ${quote(type)} begins with ${BUILT_IN_PREFIX}, and those are built in.`
  refuse(field, 'price_book/reserved_event_type', message, 'remove it, or write a name of your own')
}

/** Units of one event type: each is read from every event of it. */
export const TYPE_QUANTITIES_MAX = 32
const UNIT = /^[A-Za-z0-9._:-]{1,64}$/
/** The name of a field of data of another system. */
const FIELD = /^[^\p{Cc}\p{Cs}]{1,128}$/u

/** Where the quantities of such data are: by unit, the name of a field of data, or 1 for one each. */
function readQuantities(
  field: Field,
  component: EventType['component'] | undefined,
): EventType['quantities'] | undefined {
  if (component !== undefined && component !== 'processing') {
    const message = `${placeOf(field)} is in an event type of ${component} usage, which has no quantities.`
    return refuse(field, 'price_book/not_allowed_here', message, 'remove quantities, or write processing')
  }
  const example = 'write { token: tokens }, or { call: 1 } for one each'
  const entries = entriesOf(field, example)
  if (!entries || !refuseSize(field, entries.size, { max: TYPE_QUANTITIES_MAX, example })) return undefined
  const quantities = new Map<string, string | typeof ONE_EACH>()
  for (const [unit, child] of entries) {
    const { value } = child
    if (!UNIT.test(unit)) {
      const message = `The name of a unit is ${quote(unit)}.`
      refuse(child, 'price_book/not_a_name', message, 'write 1 to 64 of A-Z a-z 0-9 . _ : -')
    } else if (value === ONE_EACH || (typeof value === 'string' && FIELD.test(value))) {
      quantities.set(unit, value)
    } else {
      const message = `${placeOf(child)} is ${kindOf(value)}, not the name of a field of data.`
      refuse(child, 'price_book/wrong_type', message, example)
    }
  }
  return quantities
}

function refuseOperation(
  field: Field,
  component: EventType['component'] | undefined,
  operations: ReadonlySet<string> | undefined,
): void {
  if (component === 'storage') {
    const message = `${placeOf(field)} is in a storage event type, and a level has no operation.`
    refuse(field, 'price_book/not_allowed_here', message, 'remove operation')
  } else if (isOperation(field, field.value) && operations?.has(field.value) === false) {
    const message = `${placeOf(field)} is ${quote(field.value)}, an operation that the book does not know.`
    const guess = nearest(field.value, operations)
    const fix = guess ? `write ${guess}` : 'list it under a rate, or under operations'
    refuse(field, 'price_book/unknown_operation', message, fix)
  }
}
