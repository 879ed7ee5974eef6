import { isObject } from '../../core/ingest/read-usage.ts'
import { rejectFault } from '../../core/ingest/reject-fault.ts'
import { reject } from '../../core/ingest/rejection.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { isTooDeep, saysAll } from '../../core/text/json/exact-json.ts'
import { findFault } from '../../core/text/json/json-faults.ts'
import { partsOf } from '../../core/text/json/parts-of.ts'
import type { JsonExcess } from '../../core/text/json/scan-json.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { UNREADABLE_KEPT } from './limits.ts'
import { decodeAnyway, type ParsedJson, sayExcess } from './read-json.ts'

/**
 * An element as it was parsed, if that is what its text says.
 * @param deliver what an element is as an event; its own form unless it is one of another protocol
 */
export function deliveredElement({ value, text, scan }: ParsedJson, deliver = asItIs): Delivered {
  return saysAll(value, scan) ? deliver(value) : deliveredText(value, text, deliver)
}

function asItIs(raw: Json): Delivered {
  return { raw }
}

/** The same, looking at each key and number of its text. */
export function deliveredText(value: Json, text: string, deliver = asItIs): Delivered {
  // With what its protocol puts around it, an element may be a level deeper than any is scanned.
  if (isTooDeep(value)) return excessive('levels', text)
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

/**
 * An element of which there is more than a parser may see.
 * @param text how it begins
 */
export function excessive(excess: JsonExcess, text: string | Buffer): Delivered {
  const start = typeof text === 'string' ? text : decodeAnyway(text.subarray(0, UNREADABLE_KEPT))
  const code = excess === 'bytes' ? 'event/too_long' : 'event/unreadable'
  return unreadable(code, sayExcess('The event', excess), start)
}

export function unreadable(
  code: 'event/unreadable' | 'event/not_an_object' | 'event/invalid_time' | 'event/too_long',
  detail: string,
  text: string,
): Delivered {
  return { unreadable: reject(code, detail), text: text.slice(0, UNREADABLE_KEPT) }
}
