import type { Json } from '../../core/text/canonical-json.ts'
import { isExactJson } from '../../core/text/json/exact-json.ts'
import { findFault } from '../../core/text/json/json-faults.ts'
import { sayFault } from '../../core/text/json/say-fault.ts'
import { HttpProblem, shown } from '../api/problem.ts'
import type { ParsedJson } from './deliver-element.ts'
import { jsonErrorOffset } from './json-place.ts'

const strict = new TextDecoder('utf-8', { fatal: true })
const lenient = new TextDecoder('utf-8')

/** Characters of the text that a message repeats. */
const CONTEXT = 30

export type Parsed =
  { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly detail: string }

/** The text of bytes that are UTF-8 throughout (a byte order mark is dropped); undefined for others. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text with U+FFFD in place of what is not UTF-8: for messages, and to be kept. */
export function decodeAnyway(bytes: Uint8Array): string {
  return lenient.decode(bytes)
}

/** The offset of the first byte that is not UTF-8: where the bytes differ from those of their repaired text. */
export function badByteOffset(bytes: Buffer): number {
  const repaired = Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  const length = Math.min(bytes.length, repaired.length)
  for (let at = 0; at < length; at++) if (bytes[at] !== repaired[at]) return at
  return length
}

/** Parse JSON, or say where the text stops being JSON. */
export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) as Json }
  } catch {
    return { ok: false, detail: describeError(text) }
  }
}

function describeError(text: string): string {
  const at = Math.min(jsonErrorOffset(text) ?? text.length, text.length)
  if (at === text.length) return `it ends too early, at position ${at}`
  const line = text.slice(0, at).split('\n').length
  const column = at - text.lastIndexOf('\n', at - 1)
  const place = line === 1 ? `position ${at}` : `position ${at} (line ${line}, column ${column})`
  return `unexpected ${shown(text.slice(at, at + CONTEXT))} at ${place}`
}

/**
 * A body that must be JSON as a whole, and say what its parsed value says. Throws 400 for one that is not UTF-8, not
 * JSON, or has a key twice in an object or a number that a double cannot hold, with the place.
 */
export function readJsonBody(bytes: Buffer): Json {
  const { value, text } = parseJsonBody(bytes)
  if (isExactJson([value], bytes)) return value
  refuseFault(text)
  return value
}

/** A body that must be JSON as a whole, for readers that judge its text by its parts. Throws 400 for any other. */
export function parseJsonBody(bytes: Buffer): ParsedJson {
  const text = decodeUtf8(bytes)
  if (text === undefined) {
    const detail = `The body is not UTF-8 from byte ${badByteOffset(bytes)} on: send JSON in UTF-8.`
    throw new HttpProblem('request/invalid_utf8', detail)
  }
  const parsed = parseJson(text)
  if (parsed.ok) return { value: parsed.value, bytes, text }
  throw new HttpProblem('request/malformed_json', `The body is not JSON: ${parsed.detail}.`)
}

/** @throws HttpProblem with the first place where the text says what a parsed value does not */
export function refuseFault(text: string): void {
  const fault = findFault(text)
  if (fault) throw new HttpProblem('request/invalid_body', sayFault(fault, 'The body'))
}
