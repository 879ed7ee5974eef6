import { invariant } from '../invariant.ts'

/** What JSON.parse can give. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * The RFC 8785 form: keys sorted by UTF-16 units, no spaces, numbers and strings as ECMAScript writes them.
 * Two values with the same form are the same content.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return canonicalScalar(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`).join(',')}}`
}

function canonicalScalar(value: null | boolean | number | string): string {
  invariant(typeof value !== 'number' || Number.isFinite(value), 'JSON has no infinite number')
  return JSON.stringify(value)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
