import { isExactNumber, NUMBER_CHARACTERS_MAX } from './exact-number.ts'
import * as signs from './json-signs.ts'

/** How much one JSON value may be for a parser to see it. */
export interface JsonLimits {
  /** Objects and lists within each other. */
  readonly levelsMax: number
  /** Texts, numbers, literals, objects and lists: all of them together. Keys are none. */
  readonly valuesMax: number
  readonly bytesMax: number
}

/** What a value has too much of. */
export type JsonExcess = 'levels' | 'values' | 'bytes'

/** What the bytes of a JSON value say, before anything is made of them. */
export interface JsonScan {
  /** The offset of its first character. */
  readonly start: number
  /** The offset of what follows it and is no blank: a comma or a closing bracket, if all is well; or the length. */
  readonly end: number
  /** Members of all objects: of equal keys each counts. */
  readonly members: number
  readonly values: number
  /** Every number is one that a double keeps (`isExactNumber`). */
  readonly isExact: boolean
  /** The first limit that it goes beyond, if any. */
  readonly excess: JsonExcess | undefined
}

// Of this module: those of another one would cost a quarter of the whole pass (measured).
const { QUOTE, BACKSLASH, COLON, COMMA, MINUS, PLUS, POINT, ZERO, NINE, SMALL_E, SPACE } = signs
const { OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT } = signs

/** So many characters without an exponent have at most 15 digits, which a double always keeps. */
const SURE_CHARACTERS = 15
/** A capital letter of ASCII with this bit is the small one. */
const SMALL = 0x20

/**
 * One pass over the bytes of one JSON value, up to what follows it. It knows only enough of JSON to find
 * the end and to count, needs neither stack nor memory, and ends whatever the bytes are: whether they are JSON is for the
 * parser to say. A value that goes beyond a limit is passed over to its end, so that those beside it can be read.
 * @param bytes UTF-8: no byte of another character looks like one of these
 */
export function scanValue(bytes: Uint8Array, from: number, limits: JsonLimits): JsonScan {
  const { levelsMax, valuesMax, bytesMax } = limits
  const { length } = bytes
  const start = afterBlanks(bytes, from)
  let [at, depth, members, tokens] = [start, 0, 0, 0]
  let isExact = true
  let excess: JsonExcess | undefined
  for (; at < length; at++) {
    const byte = bytes[at]!
    if (depth === 0 && byte > SPACE && (tokens > 0 || isSeparator(byte))) break
    if (byte === QUOTE) {
      tokens++
      while (++at < length && bytes[at] !== QUOTE) if (bytes[at] === BACKSLASH) at++
    } else if (byte === COLON) {
      members++
    } else if (byte === COMMA) {
      if (tokens - members > valuesMax) excess ??= 'values'
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      tokens++
      if (++depth > levelsMax) excess ??= 'levels'
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--
    } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
      tokens++
      const first = at
      let isPlain = true
      while (++at < length) {
        const next = bytes[at]!
        if ((next >= ZERO && next <= NINE) || next === POINT) continue
        if ((next | SMALL) !== SMALL_E && next !== PLUS && next !== MINUS) break
        isPlain = false
      }
      if (!isPlain || at - first > SURE_CHARACTERS)
        isExact &&= isExactNumber(asciiOf(bytes.subarray(first, at)))
      at--
    } else if (byte > SPACE) {
      tokens++
      while (at + 1 < length && isLetter(bytes[at + 1]!)) at++
    }
  }
  const end = Math.min(at, length)
  const values = tokens - members
  if (values > valuesMax) excess ??= 'values'
  if (end - start > bytesMax) excess ??= 'bytes'
  return { start, end, members, values, isExact, excess }
}

/** The first offset from there on at which there is something else than the blanks of JSON, or the length. */
export function afterBlanks(bytes: Uint8Array, from: number): number {
  let at = from
  while (isBlank(bytes[at])) at++
  return at
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isSeparator(byte: number): boolean {
  return byte === COMMA || byte === COLON || byte === CLOSE_LIST || byte === CLOSE_OBJECT
}

function isLetter(byte: number): boolean {
  const small = byte | SMALL
  return small >= 0x61 && small <= 0x7a
}

/** One character more than a number may have says enough. A spread would take ten times as long. */
function asciiOf(bytes: Uint8Array): string {
  const characters: ArrayLike<number> = bytes.subarray(0, NUMBER_CHARACTERS_MAX + 1)
  return Reflect.apply(String.fromCharCode, undefined, characters)
}
