import { isUtf8 } from 'node:buffer'
import type { Json } from '../../core/text/canonical-json.ts'
import { saysAll } from '../../core/text/json/exact-json.ts'
import { findFault } from '../../core/text/json/json-faults.ts'
import { sayFault } from '../../core/text/json/say-fault.ts'
import { afterBlanks, type JsonExcess, type JsonScan, scanValue } from '../../core/text/json/scan-json.ts'
import { HttpProblem, shown } from '../api/problem.ts'
import { jsonErrorOffset } from './json-place.ts'
import { ELEMENT, PLACE_BYTES_MAX } from './limits.ts'

/** A JSON value that was parsed, the text that it was parsed from, and what was counted in its bytes before. */
export interface ParsedJson {
  readonly value: Json
  readonly text: string
  readonly scan: JsonScan
}

const strict = new TextDecoder('utf-8', { fatal: true })
const lenient = new TextDecoder('utf-8')
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** Characters of the text that a message repeats. */
const CONTEXT = 30
/** Where a text is cut, so many characters before its end may look wrong: the beginning of an escape. */
const CUT_CHARACTERS = 8

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

/** Parse JSON; undefined for what is none. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** Where a text stops being JSON, in words. */
export function sayPlace(text: string): string {
  const at = Math.min(jsonErrorOffset(text) ?? text.length, text.length)
  if (at === text.length) return `it ends too early, at position ${at}`
  const line = text.slice(0, at).split('\n').length
  const column = at - text.lastIndexOf('\n', at - 1)
  const place = line === 1 ? `position ${at}` : `position ${at} (line ${line}, column ${column})`
  return `unexpected ${shown(text.slice(at, at + CONTEXT))} at ${place}`
}

/** 400 for a body that is not JSON, with the place. */
export function malformed(bytes: Buffer): HttpProblem {
  const text = decodeAnyway(bytes.subarray(0, PLACE_BYTES_MAX))
  const isCut = bytes.length > PLACE_BYTES_MAX
  const isBeyond = isCut && (jsonErrorOffset(text) ?? text.length) >= text.length - CUT_CHARACTERS
  const place = isBeyond ? 'the mistake is beyond the first MB' : sayPlace(text)
  return new HttpProblem('request/malformed_json', `The body is not JSON: ${place}.`)
}

/** @throws HttpProblem for bytes that are not UTF-8, with the first that is wrong */
export function requireUtf8(bytes: Buffer): void {
  if (isUtf8(bytes)) return
  const at = badByteOffset(bytes.subarray(0, PLACE_BYTES_MAX))
  // A character that is cut there is not wrong.
  const isBeyond = bytes.length > PLACE_BYTES_MAX && at > PLACE_BYTES_MAX - 4
  const place = isBeyond ? 'somewhere beyond its first MB' : `from byte ${at} on`
  throw new HttpProblem('request/invalid_utf8', `The body is not UTF-8 ${place}: send JSON in UTF-8.`)
}

/** Where the JSON of a body begins: after a byte order mark, and blanks. */
export function startOfJson(bytes: Buffer): number {
  const isMarked = BYTE_ORDER_MARK.equals(bytes.subarray(0, BYTE_ORDER_MARK.length))
  return afterBlanks(bytes, isMarked ? BYTE_ORDER_MARK.length : 0)
}

/**
 * A body that must be JSON as a whole, if it is within the limits of one value: otherwise no parser sees it.
 * @throws HttpProblem for one that is not UTF-8 or not JSON, with the place
 */
export function readDocument(bytes: Buffer): ParsedJson | { readonly excess: JsonExcess } {
  const start = startOfJson(bytes)
  // No more is looked at than may be there.
  const scan = scanValue(bytes.subarray(0, start + ELEMENT.bytesMax + 1), start, ELEMENT)
  if (scan.excess) return { excess: scan.excess }
  requireUtf8(bytes)
  const text = bytes.toString('utf8', start)
  const value = scan.end < bytes.length ? undefined : parseJson(text)
  if (value === undefined) throw malformed(bytes)
  return { value, text, scan }
}

/** A body that must be JSON as a whole, for readers that judge its text by its parts. Throws 400 or 413 for any other. */
export function parseJsonBody(bytes: Buffer): ParsedJson {
  const read = readDocument(bytes)
  if ('excess' in read) throw tooComplex('The body', read.excess)
  return read
}

const EXCESSES: Readonly<Record<JsonExcess, string>> = {
  levels: `is nested deeper than ${ELEMENT.levelsMax} levels: flatten it`,
  values: `has more than ${ELEMENT.valuesMax} values: send fewer`,
  bytes: `is longer than ${ELEMENT.bytesMax} bytes: send less`,
}

/** What a value has too much of, in words. */
export function sayExcess(what: string, excess: JsonExcess): string {
  return `${what} ${EXCESSES[excess]}.`
}

/** 413 for JSON that no parser sees. */
export function tooComplex(what: string, excess: JsonExcess): HttpProblem {
  return new HttpProblem('request/too_complex', sayExcess(what, excess))
}

/**
 * A body that must be JSON as a whole, and say what its parsed value says. Throws 413 for one beyond the limits, and 400
 * for one that is not UTF-8, not JSON, or has a key twice in an object or a number that a double cannot hold, with the place.
 */
export function readJsonBody(bytes: Buffer): Json {
  const { value, text, scan } = parseJsonBody(bytes)
  if (!saysAll(value, scan)) refuseFault(text)
  return value
}

/** @throws HttpProblem with the first place where the text says what a parsed value does not */
export function refuseFault(text: string): void {
  const fault = findFault(text)
  if (fault) throw new HttpProblem('request/invalid_body', sayFault(fault, 'The body'))
}
