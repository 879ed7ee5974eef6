import { NESTING_MAX } from '../../core/text/json/exact-json.ts'
import type { JsonLimits } from '../../core/text/json/scan-json.ts'
import type { ListLimits } from '../../core/text/json/scan-list.ts'

/** Events of one request: enough that more bring no speed, few enough to answer within a second. */
export const BATCH_EVENTS_MAX = 10_000
/** Bytes of a body as it is sent, packed or not: 10,000 events of 1.6 kB. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024
/** Bytes of a body once unpacked. A gzip bomb ends here: what is beyond is never unpacked. */
export const UNPACKED_BYTES_MAX = 32 * 1024 * 1024
/** Bytes of one event, and of any other body of JSON: the data of an event may be a quarter. */
export const ELEMENT_BYTES_MAX = 256 * 1024
/** Values (texts, numbers, literals, objects, lists) of one event, and of any other body of JSON. */
export const ELEMENT_VALUES_MAX = 2_000
/** Values of all events of a body: 100 for each of 10,000. Parsed, so many take at most 150 MB. */
export const BODY_VALUES_MAX = 1_000_000
/** The place of a mistake in JSON or UTF-8 is looked for within so many bytes of the body. */
export const PLACE_BYTES_MAX = 1024 * 1024
/** From so many bytes on a body takes milliseconds to be taken apart: a thread beside the main one does that. */
export const LARGE_BODY_BYTES = 64 * 1024
/** … as from so many commas and line breaks on: twice as many as 64 KiB of events have. */
export const LARGE_BODY_SEPARATORS = 4_000
/** Bytes of all bodies that are held at one moment, from their arrival to their answer: beyond, 429. */
export const HELD_BYTES_MAX = 128 * 1024 * 1024
/** … of them, of one key: half, so that no key can take what the others need. */
export const KEY_HELD_BYTES_MAX = HELD_BYTES_MAX / 2
/** … that large bodies leave to small ones. */
export const SMALL_BODIES_BYTES_MIN = 16 * 1024 * 1024
/** The least pace of a body, in bytes a second, while more than half of that memory is taken: below it, 408 … */
export const PACE_BYTES_MIN = 1024
/** … over so long. */
export const PACE_MS = 15_000
/** A stream of lines has no least pace, and may pause for so long. */
export const LINES_IDLE_MS_MAX = 60_000
/** Characters that are kept of a part that could not be read. */
export const UNREADABLE_KEPT = 4096

/** What a parser may see of an event, or of a body that is one value. */
export const ELEMENT: JsonLimits = {
  levelsMax: NESTING_MAX,
  valuesMax: ELEMENT_VALUES_MAX,
  bytesMax: ELEMENT_BYTES_MAX,
}

/** … and of a list of events. */
export const LIST: ListLimits = {
  element: ELEMENT,
  elementsMax: BATCH_EVENTS_MAX,
  valuesMax: BODY_VALUES_MAX,
}
