import type { Json } from '../canonical-json.ts'
import { countMembers, DEEPER } from './count-members.ts'
import { type JsonLimits, type JsonScan, scanValue } from './scan-json.ts'

/** Levels within each other that are looked into: more than any event may have, and little enough to walk. */
export const NESTING_MAX = 64

const UNLIMITED: JsonLimits = { levelsMax: Infinity, valuesMax: Infinity, bytesMax: Infinity }

/** Does an element have more levels of objects and lists within each other than are looked into? */
export function isTooDeep(value: Json): boolean {
  return countMembers(value, NESTING_MAX) === DEEPER
}

/**
 * Does a value say everything that its text says? A parser keeps the last of equal keys, and of a number its double. The
 * quick way to know: each number of the text is exact, and the text has as many members as the value has. Anyone who
 * needs to know the place of what is lost asks `findFault`.
 * @param scan of the bytes that were parsed
 * @returns false also where the value is nested too deeply to be walked
 */
export function saysAll(value: Json, { isExact, members }: JsonScan): boolean {
  return isExact && countMembers(value, NESTING_MAX) === members
}

/** The same of bytes that nothing has looked at: UTF-8 that was parsed. */
export function isExactJson(value: Json, bytes: Uint8Array): boolean {
  return saysAll(value, scanValue(bytes, 0, UNLIMITED))
}
