import type { Json } from '../canonical-json.ts'

/** What `countMembers` gives for a value that is nested more deeply. */
export const DEEPER = -1

/**
 * The members of all objects in a parsed value, of which equal keys have left one.
 * @param levels of objects and lists within each other that are looked into
 * @returns DEEPER where there are more levels
 */
export function countMembers(value: Json, levels: number): number {
  if (value === null || typeof value !== 'object') return 0
  if (levels === 0) return DEEPER
  let members = 0
  if (isList(value)) {
    for (const element of value) {
      const inner = countMembers(element, levels - 1)
      if (inner === DEEPER) return DEEPER
      members += inner
    }
    return members
  }
  // No list of the members is made: each event is looked at, and its objects are many.
  for (const key in value) {
    members++
    const inner = countMembers(value[key]!, levels - 1)
    if (inner === DEEPER) return DEEPER
    members += inner
  }
  return members
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
