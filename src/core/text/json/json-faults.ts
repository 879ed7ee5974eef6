import { isExactNumber } from './exact-number.ts'
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COMMA,
  MINUS,
  NINE,
  OPEN_LIST,
  OPEN_OBJECT,
  PLUS,
  POINT,
  QUOTE,
  SMALL_E,
  ZERO,
} from './json-signs.ts'
import { endOfString, readString } from './parts-of.ts'

/** What a JSON text says, and its parsed value does not. */
export interface JsonFault {
  readonly kind: 'repeated_key' | 'inexact_number'
  /** From the outermost value: keys, and numbers of elements from 0. */
  readonly path: readonly (string | number)[]
  /** The number as it was sent, or the key. */
  readonly text: string
}

/** Levels that a path names: what is deeper is refused for its depth, and paths stay short. */
const PATH_LEVELS = 64

/** An object or list that is open. */
interface Level {
  /** The keys of an object so far; undefined in a list. */
  readonly keys: Set<string> | undefined
  /** The key of the member, or the number of the element, that is being read. */
  step: string | number
}

/**
 * Where a parser loses something: each member whose key was there already, and each number that is not the one its
 * double is written as. In the order of the text, without recursion.
 * @param text valid JSON
 */
export function* faultsIn(text: string): Generator<JsonFault> {
  const levels: Level[] = []
  let isKey = false
  const fault = (kind: JsonFault['kind'], found: string): JsonFault => {
    return { kind, path: levels.slice(0, PATH_LEVELS).map(({ step }) => step), text: found }
  }
  for (let at = 0; at < text.length;) {
    const sign = text.charCodeAt(at)
    let end = at + 1
    if (sign === QUOTE) {
      end = endOfString(text, at)
      if (isKey) {
        const level = levels.at(-1)!
        const key = (level.step = readString(text.slice(at, end)))
        if (level.keys!.has(key)) yield fault('repeated_key', key)
        level.keys!.add(key)
        isKey = false
      }
    } else if (sign === OPEN_OBJECT || sign === OPEN_LIST) {
      isKey = sign === OPEN_OBJECT
      levels.push(isKey ? { keys: new Set(), step: '' } : { keys: undefined, step: 0 })
    } else if (sign === CLOSE_OBJECT || sign === CLOSE_LIST) {
      levels.pop()
      isKey = false
    } else if (sign === COMMA) {
      const level = levels.at(-1)!
      if (typeof level.step === 'number') level.step++
      else isKey = true
    } else if (sign === MINUS || (sign >= ZERO && sign <= NINE)) {
      end = endOfNumber(text, at)
      const number = text.slice(at, end)
      if (!isExactNumber(number)) yield fault('inexact_number', number)
    }
    at = end
  }
}

/** The first of `faultsIn`. */
export function findFault(text: string): JsonFault | undefined {
  const first = faultsIn(text).next()
  return first.done ? undefined : first.value
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && isOfNumber(text.charCodeAt(at))) at++
  return at
}

function isOfNumber(sign: number): boolean {
  if (sign >= ZERO && sign <= NINE) return true
  return sign === POINT || sign === MINUS || sign === PLUS || (sign | 0x20) === SMALL_E
}
