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
  let text = ''
  for (const key of Object.keys(value).sort()) {
    text += `${text === '' ? '{' : ','}${quoted(key)}:${canonicalJson(value[key]!)}`
  }
  return text === '' ? '{}' : `${text}}`
}

function canonicalScalar(value: null | boolean | number | string): string {
  if (typeof value === 'string') return quoted(value)
  invariant(typeof value !== 'number' || Number.isFinite(value), 'JSON has no infinite number')
  return String(value === 0 ? 0 : value)
}

/** Texts that JSON writes as they are: names and ids, nearly always. */
const UNESCAPED = /^[ !#-[\]-~]*$/

/** A text as JSON writes it. */
export function quoted(text: string): string {
  return UNESCAPED.test(text) ? `"${text}"` : JSON.stringify(text)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
