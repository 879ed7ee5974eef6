import { CLOSE_LIST, COMMA } from './json-signs.ts'
import { type JsonLimits, type JsonScan, scanValue } from './scan-json.ts'

/** How much a list of JSON values may be. */
export interface ListLimits {
  readonly element: JsonLimits
  readonly elementsMax: number
  /** Of all elements together. */
  readonly valuesMax: number
}

/** The elements of a list, each by itself; or why the pass has ended. */
export type ListScan =
  | {
      readonly is: 'list'
      readonly elements: readonly JsonScan[]
      /** The offset after its closing bracket. */
      readonly end: number
    }
  | { readonly is: 'too many elements' }
  | { readonly is: 'too many values' }
  /** No list of JSON. */
  | { readonly is: 'damaged' }

/**
 * One pass over the bytes of a JSON list, which ends at the first element or value too many. If each element is JSON, so is
 * the list: a comma or a bracket that ends an element too early leaves it without its own end.
 * @param opening where the bracket is that opens it
 */
export function scanList(bytes: Uint8Array, opening: number, limits: ListLimits): ListScan {
  const elements: JsonScan[] = []
  let values = 0
  for (let start = opening + 1; ;) {
    const scan = scanValue(bytes, start, limits.element)
    const sign = bytes[scan.end]
    const isEmpty = elements.length === 0 && sign === CLOSE_LIST && scan.start === scan.end
    if (isEmpty) return { is: 'list', elements, end: scan.end + 1 }
    if (elements.length === limits.elementsMax) return { is: 'too many elements' }
    // Those of an element that no parser sees take up nothing.
    if (scan.excess === undefined) values += scan.values
    if (values > limits.valuesMax) return { is: 'too many values' }
    elements.push(scan)
    if (sign === CLOSE_LIST) return { is: 'list', elements, end: scan.end + 1 }
    if (sign !== COMMA) return { is: 'damaged' }
    start = scan.end + 1
  }
}
