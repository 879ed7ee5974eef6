import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  SPACE,
} from './json-signs.ts'

/** A member of an object, or an element of a list, where it stands in the text. */
export interface JsonPart {
  /** As the parser reads it; undefined for an element. */
  readonly key: string | undefined
  /** The text of the value. */
  readonly text: string
}

/**
 * The parts of the outermost object or list, in their order; of equal keys each has one.
 * @param text valid JSON
 * @returns none for another value
 */
export function partsOf(text: string): readonly JsonPart[] {
  const parts: JsonPart[] = []
  let depth = 0
  let key: string | undefined
  let start: number | undefined
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at)
    if (sign <= SPACE) continue
    const closes = sign === CLOSE_OBJECT || sign === CLOSE_LIST
    if (depth === 1) {
      if (sign === COMMA || closes) {
        if (start !== undefined) parts.push({ key, text: text.slice(start, at).trimEnd() })
        key = start = undefined
      } else if (sign === COLON) {
        key = readString(text.slice(start, at).trimEnd())
        start = undefined
      } else start ??= at
    }
    if (sign === QUOTE) at = endOfString(text, at) - 1
    else if (closes) depth--
    else if (sign === OPEN_OBJECT || sign === OPEN_LIST) depth++
  }
  return parts
}

/** The offset after the string that begins at `start`. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const sign = text.charCodeAt(at)
    if (sign === QUOTE) return at + 1
    if (sign === BACKSLASH) at++
  }
  return text.length
}

/** What a string says, from its text with quotes. */
export function readString(text: string): string {
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)
}
