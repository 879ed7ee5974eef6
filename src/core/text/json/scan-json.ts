import { isExactNumber, NUMBER_CHARACTERS_MAX } from './exact-number.ts'
import * as signs from './json-signs.ts'

/** What the bytes of a JSON text say, before anything is made of them. */
export interface JsonScan {
  /** Members of all objects: of equal keys each counts. */
  readonly members: number
  /** Every number is one that a double keeps (`isExactNumber`). */
  readonly isExact: boolean
}

// Of this module: those of another one would cost a quarter of the whole pass (measured).
const { QUOTE, BACKSLASH, COLON, MINUS, PLUS, POINT, ZERO, NINE, SMALL_E } = signs

/** So many characters without an exponent have at most 15 digits, which a double always keeps. */
const SURE_CHARACTERS = 15

/**
 * One pass over the bytes of a JSON text, or of elements of a list with what stands between them. It knows only enough
 * of JSON to count, and runs to the end of any bytes: whether they are JSON is for the parser to say.
 * @param bytes UTF-8: no byte of another character looks like one of these
 */
export function scanJson(bytes: Uint8Array): JsonScan {
  const { length } = bytes
  let members = 0
  let isExact = true
  for (let at = 0; at < length;) {
    const byte = bytes[at++]!
    if (byte === QUOTE) {
      while (at < length) {
        const inner = bytes[at++]
        if (inner === QUOTE) break
        if (inner === BACKSLASH) at++
      }
    } else if (byte === COLON) {
      members++
    } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
      const start = at - 1
      let isPlain = true
      for (; at < length; at++) {
        const next = bytes[at]!
        if ((next >= ZERO && next <= NINE) || next === POINT) continue
        if ((next | 0x20) !== SMALL_E && next !== PLUS && next !== MINUS) break
        isPlain = false
      }
      if (isPlain && at - start <= SURE_CHARACTERS) continue
      isExact &&= isExactNumber(asciiOf(bytes.subarray(start, at)))
    }
  }
  return { members, isExact }
}

/** One character more than a number may have says enough. A spread would take ten times as long. */
function asciiOf(bytes: Uint8Array): string {
  const characters: ArrayLike<number> = bytes.subarray(0, NUMBER_CHARACTERS_MAX + 1)
  return Reflect.apply(String.fromCharCode, undefined, characters)
}
