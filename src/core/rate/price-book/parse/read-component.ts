import { nearest } from '../../../text/nearest.ts'
import { type Component, COMPONENTS } from '../price-book.ts'
import { type Field, kindOf, placeOf, refuse } from './read-field.ts'

/** One of the three parts of a bill (R2). @returns undefined after `price_book/unknown_component` */
export function readComponent(field: Field): Component | undefined {
  const found = COMPONENTS.find((component) => component === field.value)
  if (found) return found
  const guess = typeof field.value === 'string' ? nearest(field.value, COMPONENTS) : undefined
  const message = `${placeOf(field)} is ${kindOf(field.value)}, not a component.`
  return refuse(field, 'price_book/unknown_component', message, `write ${guess ?? COMPONENTS.join(', ')}`)
}
