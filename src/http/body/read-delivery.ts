import type { IncomingHttpHeaders } from 'node:http'
import type { Json } from '../../core/text/canonical-json.ts'
import * as signs from '../../core/text/json/json-signs.ts'
import { afterBlanks, scanValue } from '../../core/text/json/scan-json.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { HttpProblem, shown } from '../api/problem.ts'
import { isBinaryMode, readBinaryEvent } from './binary-mode.ts'
import { deliveredElement, excessive, unreadable } from './deliver-element.ts'
import { BATCH_EVENTS_MAX, BODY_VALUES_MAX, ELEMENT } from './limits.ts'
import { LINES, mediaType } from './media-types.ts'
import {
  badByteOffset,
  decodeAnyway,
  decodeUtf8,
  malformed,
  parseJson,
  readDocument,
  sayPlace,
  startOfJson,
} from './read-json.ts'
import { readList, tooManyEvents, tooManyValues } from './read-list.ts'

/** What a request has delivered. */
export interface Delivery {
  readonly events: readonly Delivered[]
  /** One event on its own, not in a list: if it is rejected, so is the request. */
  readonly isSingle: boolean
}

/**
 * Read a body in one of the three CloudEvents modes, as plain JSON, or as one event a line. Only a body that is
 * unreadable as a whole, or has too much in it, is an error (HttpProblem): a bad element is one rejected event. One pass
 * over the bytes finds the elements and what is too much; no parser sees more than that lets through.
 * @param rawHeaders names and values in turn, as they came
 */
export function readDelivery(
  headers: IncomingHttpHeaders,
  body: Buffer,
  rawHeaders: readonly string[] = [],
): Delivery {
  const type = mediaType(headers['content-type'])
  if (isBinaryMode(headers, type)) return single(readBinaryEvent(headers, rawHeaders, body))
  switch (type) {
    case 'application/cloudevents+json':
    case 'application/cloudevents-batch+json':
    case 'application/json':
      return readJson(type, body)
    default:
      if (LINES.has(type)) return readLines(body)
      throw unsupported(headers['content-type'])
  }
}

function readJson(type: string, body: Buffer): Delivery {
  const start = startOfJson(body)
  if (body[start] === signs.OPEN_LIST) {
    const { delivered, end } = readList(body, start)
    if (afterBlanks(body, end) < body.length) throw malformed(body)
    listOf(type, [])
    return { events: delivered, isSingle: false }
  }
  const read = readDocument(body)
  if ('excess' in read) return single(excessive(read.excess, body))
  listOf(type, read.value)
  return single(deliveredElement(read))
}

/** Undefined for a single event. Throws 400 for what the type excludes. */
function listOf(type: string, value: Json): readonly Json[] | undefined {
  if (type === 'application/cloudevents-batch+json') return requireKind(value, 'an array') as readonly Json[]
  if (type === 'application/json' && Array.isArray(value)) return value as readonly Json[]
  requireKind(value, 'an object')
  return undefined
}

function unsupported(header: string | undefined): HttpProblem {
  const what = header === undefined ? 'There is no Content-Type' : `The Content-Type is ${shown(header)}`
  const advice =
    'send application/cloudevents+json, application/cloudevents-batch+json, application/json or application/x-ndjson'
  return new HttpProblem('request/unsupported_media_type', `${what}: ${advice}.`)
}

function single(delivered: Delivered): Delivery {
  return { events: [delivered], isSingle: true }
}

function requireKind(value: Json, kind: 'an object' | 'an array'): Json {
  const isArray = Array.isArray(value)
  const isObject = typeof value === 'object' && value !== null && !isArray
  if (kind === 'an array' ? isArray : isObject) return value
  const advice = isArray
    ? 'send it as application/cloudevents-batch+json'
    : isObject
      ? 'send it as application/cloudevents+json'
      : 'send a CloudEvent, or an array of them'
  throw new HttpProblem('request/invalid_body', `The body is JSON, but not ${kind}: ${advice}.`)
}

const NEWLINE = 0x0a

/** One event a line, in UTF-8. Lines with nothing but blanks do not count. */
function readLines(body: Buffer): Delivery {
  const events: Delivered[] = []
  let [number, lines, values, lineStart] = [1, 0, 0, 0]
  for (let at = 0; at < body.length; at++) {
    if (body[at] === NEWLINE) {
      number++
      lineStart = at + 1
    } else if (!isBlank(body[at]!)) {
      if (++lines > BATCH_EVENTS_MAX) throw tooManyEvents()
      const found = body.indexOf(NEWLINE, at)
      const bytes = body.subarray(lineStart, found === -1 ? body.length : found)
      const line = readLine(bytes, number)
      values += line.values
      if (values > BODY_VALUES_MAX) throw tooManyValues()
      if (line.event) events.push(line.event)
      // The line break counts the next one.
      at = lineStart + bytes.length - 1
    }
  }
  return { events, isSingle: false }
}

/** Of JSON, but for the line break. */
function isBlank(byte: number): boolean {
  return byte === signs.SPACE || byte === 0x09 || byte === 0x0d
}

interface ReadLine {
  /** Undefined where there is none. */
  readonly event: Delivered | undefined
  /** That a parser has seen. */
  readonly values: number
}

function readLine(bytes: Buffer, number: number): ReadLine {
  if (bytes.length > ELEMENT.bytesMax) return { event: excessive('bytes', bytes), values: 0 }
  const scan = scanValue(bytes, startOfJson(bytes), ELEMENT)
  if (scan.excess) return { event: excessive(scan.excess, bytes), values: 0 }
  const text = decodeUtf8(bytes)
  if (text === undefined) {
    const detail = `Line ${number} is not UTF-8 from its byte ${badByteOffset(bytes)} on: send UTF-8.`
    return { event: unreadable('event/unreadable', detail, decodeAnyway(bytes)), values: 0 }
  }
  if (text.trim() === '') return { event: undefined, values: 0 }
  const value = scan.end < bytes.length ? undefined : parseJson(text)
  if (value !== undefined) return { event: deliveredElement({ value, text, scan }), values: scan.values }
  const detail = `Line ${number} is not JSON: ${sayPlace(text)}.`
  return { event: unreadable('event/unreadable', detail, text), values: 0 }
}
