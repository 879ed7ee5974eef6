import { nameTrouble } from '../../../text/name.ts'
import { type Component, COMPONENTS } from '../price-book.ts'
import { quote } from './problem.ts'
import { type Field, fieldsOf, type Keys, kindOf, placeOf, refuse } from './read-field.ts'

/** UTF-8 bytes of a heading: it stands above columns. */
export const HEADING_BYTES_MAX = 128

const KEYS: Keys = { required: {}, optional: COMPONENTS }
const EXAMPLE = 'write request:, processing: or storage: with a heading, such as request: API calls'

/** What the business calls the components of a bill. Those that are not named keep their own names. */
export function readHeadings(field: Field | undefined): ReadonlyMap<Component, string> {
  const headings = new Map<Component, string>()
  const fields = field && fieldsOf(field, KEYS, EXAMPLE)
  if (!fields) return headings
  if (fields.size === 0) refuse(field, 'price_book/empty', `${placeOf(field)} names no component.`, EXAMPLE)
  const namedBy = new Map<string, Component>()
  for (const component of COMPONENTS) {
    const heading = fields.get(component)
    if (!heading || !isReadable(heading)) continue
    const text = heading.value as string
    const other = namedBy.get(text)
    if (other !== undefined) {
      const message = `${placeOf(heading)} is ${kindOf(text)}, like the heading of ${other}.`
      refuse(heading, 'price_book/duplicate', message, 'give each component a heading of its own')
    }
    namedBy.set(text, component)
    headings.set(component, text)
  }
  return headings
}

function isReadable(field: Field): boolean {
  const { value } = field
  const trouble = typeof value === 'string' && nameTrouble(value, HEADING_BYTES_MAX)
  if (typeof value === 'string' && trouble === undefined) return true
  const message =
    typeof trouble === 'string' && value !== ''
      ? `${placeOf(field)} ${quote(value as string)} ${trouble}.`
      : `${placeOf(field)} is ${kindOf(value)}, not a heading.`
  const fix = `write one line of 1 to ${HEADING_BYTES_MAX} bytes, such as API calls`
  refuse(field, 'price_book/not_a_name', message, fix)
  return false
}
