import type { Json } from '../canonical-json.ts'
import { countMembers, DEEPER } from './count-members.ts'
import { scanJson } from './scan-json.ts'

/** Levels within each other that are looked into: more than any event may have, and little enough to walk. */
export const NESTING_MAX = 64

/** Does an element have more levels of objects and lists within each other than are looked into? */
export function isTooDeep(value: Json): boolean {
  return countMembers(value, NESTING_MAX) === DEEPER
}

/**
 * Do values say everything that their text says? A parser keeps the last of equal keys, and of a number its double. The
 * quick way to know: each number of the text is exact, and the text has as many members as the values have. Anyone who
 * needs to know the place of what is lost asks `findFault`.
 * @param bytes UTF-8 that was parsed: one value, or several with anything but quotes, colons and digits between them
 * @returns false also where a value is nested too deeply to be walked
 */
export function isExactJson(values: readonly Json[], bytes: Uint8Array): boolean {
  const { members, isExact } = scanJson(bytes)
  if (!isExact) return false
  let kept = 0
  for (const value of values) {
    const inner = countMembers(value, NESTING_MAX)
    if (inner === DEEPER) return false
    kept += inner
  }
  return kept === members
}
