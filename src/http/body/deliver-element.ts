import { isObject } from '../../core/ingest/read-usage.ts'
import { rejectFault } from '../../core/ingest/reject-fault.ts'
import { reject } from '../../core/ingest/rejection.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { isExactJson, isTooDeep, NESTING_MAX } from '../../core/text/json/exact-json.ts'
import { findFault } from '../../core/text/json/json-faults.ts'
import { partsOf } from '../../core/text/json/parts-of.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { UNREADABLE_KEPT } from './limits.ts'

/** A JSON value that was parsed, and the bytes and text that it was parsed from. */
export interface ParsedJson {
  readonly value: Json
  /** UTF-8, with a byte order mark or not. */
  readonly bytes: Uint8Array
  readonly text: string
}

/**
 * An element as it was parsed, if that is what its text says. One that is nested so deeply that walking it could end the
 * stack goes no further: it would fail the deliveries that share its transaction.
 * @param deliver what an element is as an event; its own form unless it is one of another protocol
 */
export function deliveredElement({ value, bytes, text }: ParsedJson, deliver = asItIs): Delivered {
  return isExactJson([value], bytes) ? deliver(value) : judge(value, text, deliver)
}

/**
 * The elements of a list, as `deliveredElement`. As a rule one look at the bytes of all is enough.
 * @param list the text of the list with its brackets; asked for when something is wrong in it
 */
export function deliveredList(
  elements: readonly Json[],
  bytes: Uint8Array,
  list: () => string,
  deliver = asItIs,
): readonly Delivered[] {
  if (isExactJson(elements, bytes)) return elements.map((element) => deliver(element))
  const parts = partsOf(list())
  return elements.map((element, index) => judge(element, parts[index]!.text, deliver))
}

function asItIs(raw: Json): Delivered {
  return { raw }
}

/** Look at each key and number of an element. */
function judge(value: Json, text: string, deliver: (element: Json) => Delivered): Delivered {
  if (isTooDeep(value)) {
    return unreadable(
      'event/unreadable',
      `The event is nested deeper than ${NESTING_MAX} levels: flatten it.`,
      text,
    )
  }
  const fault = findFault(text)
  if (!fault) return deliver(value)
  const read = deliver(withoutRepeated(value, text))
  const kept = { unreadable: rejectFault(fault), text: text.slice(0, UNREADABLE_KEPT) }
  return 'unreadable' in read ? kept : { ...kept, named: read.raw }
}

/** Of a member that is there twice nobody knows which is meant: an account, an id. */
function withoutRepeated(value: Json, text: string): Json {
  if (!isObject(value)) return value
  const counts = new Map<string, number>()
  for (const { key = '' } of partsOf(text)) counts.set(key, (counts.get(key) ?? 0) + 1)
  return Object.fromEntries(Object.entries(value).filter(([key]) => counts.get(key) === 1))
}

export function unreadable(
  code: 'event/unreadable' | 'event/not_an_object' | 'event/invalid_time',
  detail: string,
  text: string,
): Delivered {
  return { unreadable: reject(code, detail), text: text.slice(0, UNREADABLE_KEPT) }
}
