import type { IncomingHttpHeaders } from 'node:http'
import type { Json } from '../../core/text/canonical-json.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { bodyTurns } from '../../flows/shared/thread-turns.ts'
import { HttpProblem, shown } from '../api/problem.ts'
import { isBinaryMode, readBinaryEvent } from './binary-mode.ts'
import { deliveredElement, deliveredList, type ParsedJson, unreadable } from './deliver-element.ts'
import { BATCH_EVENTS_MAX } from './limits.ts'
import {
  LARGE_BODY_BYTES,
  type ListPiece,
  oneAfterTheOther,
  parseListInTurns,
  textOfPiece,
} from './parse-in-turns.ts'
import { badByteOffset, decodeAnyway, decodeUtf8, parseJson, parseJsonBody } from './read-json.ts'

/** What a request has delivered. */
export interface Delivery {
  readonly events: readonly Delivered[]
  /** One event on its own, not in a list: if it is rejected, so is the request. */
  readonly isSingle: boolean
}

/**
 * Read a body in one of the three CloudEvents modes, as plain JSON, or as one event a line. Only a body that is
 * unreadable as a whole is an error (HttpProblem): a bad element is one rejected event. Large bodies are read
 * one after the other, in turns with other work (ThreadTurns).
 * @param rawHeaders names and values in turn, as they came
 */
export function readDelivery(
  headers: IncomingHttpHeaders,
  body: Buffer,
  rawHeaders: readonly string[] = [],
): Delivery | Promise<Delivery> {
  const type = mediaType(headers['content-type'])
  if (isBinaryMode(headers, type)) return single(readBinaryEvent(headers, rawHeaders, body))
  switch (type) {
    case 'application/cloudevents+json':
    case 'application/cloudevents-batch+json':
    case 'application/json':
      if (body.length >= LARGE_BODY_BYTES) return oneAfterTheOther(() => readLargeJson(type, body))
      return readJson(type, parseJsonBody(body))
    case 'application/x-ndjson':
    case 'application/ndjson':
    case 'application/jsonl':
      return body.length >= LARGE_BODY_BYTES ? oneAfterTheOther(() => readLines(body)) : readLines(body)
    default:
      throw unsupported(headers['content-type'])
  }
}

function readJson(type: string, parsed: ParsedJson): Delivery {
  const list = listOf(type, parsed.value)
  return list ? batch(list, parsed) : single(deliveredElement(parsed))
}

async function readLargeJson(type: string, body: Buffer): Promise<Delivery> {
  const pieces = await parseListInTurns(body)
  if (!pieces) return readJson(type, parseJsonBody(body))
  listOf(type, [])
  return batchInTurns(pieces)
}

/** Undefined for a single event. Throws 400 for what the type excludes. */
function listOf(type: string, value: Json): readonly Json[] | undefined {
  if (type === 'application/cloudevents-batch+json') return requireKind(value, 'an array') as readonly Json[]
  if (type === 'application/json' && Array.isArray(value)) return value as readonly Json[]
  requireKind(value, 'an object')
  return undefined
}

/** Without parameters such as `; charset=utf-8`. */
export function mediaType(header = ''): string {
  const end = header.indexOf(';')
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase()
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

function batch(elements: readonly Json[], { bytes, text }: ParsedJson): Delivery {
  requireFew(elements.length)
  return { events: deliveredList(elements, bytes, () => text), isSingle: false }
}

async function batchInTurns(pieces: readonly ListPiece[]): Promise<Delivery> {
  requireFew(pieces.reduce((count, { elements }) => count + elements.length, 0))
  const events: Delivered[] = []
  for (const { elements, bytes } of pieces) {
    const turn = bodyTurns.isOver()
    if (turn) await turn
    for (const event of deliveredList(elements, bytes, () => textOfPiece(bytes))) events.push(event)
  }
  return { events, isSingle: false }
}

function requireFew(count: number): void {
  if (count <= BATCH_EVENTS_MAX) return
  const detail = `There are ${count} events in the body: send at most ${BATCH_EVENTS_MAX} in one request.`
  throw new HttpProblem('request/too_many_events', detail)
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
async function readLines(body: Buffer): Promise<Delivery> {
  const events: Delivered[] = []
  const isLarge = body.length >= LARGE_BODY_BYTES
  let number = 0
  for (let start = 0; start < body.length;) {
    const found = body.indexOf(NEWLINE, start)
    const end = found === -1 ? body.length : found
    number++
    const turn = isLarge && bodyTurns.isOver()
    if (turn) await turn
    const event = readLine(body.subarray(start, end), number)
    if (event) events.push(event)
    if (events.length > BATCH_EVENTS_MAX) requireFew(events.length)
    start = end + 1
  }
  return { events, isSingle: false }
}

function readLine(bytes: Buffer, number: number): Delivered | undefined {
  const text = decodeUtf8(bytes)
  if (text === undefined) {
    const detail = `Line ${number} is not UTF-8 from its byte ${badByteOffset(bytes)} on: send UTF-8.`
    return unreadable('event/unreadable', detail, decodeAnyway(bytes))
  }
  if (text.trim() === '') return undefined
  const parsed = parseJson(text)
  if (parsed.ok) return deliveredElement({ value: parsed.value, bytes, text })
  return unreadable('event/unreadable', `Line ${number} is not JSON: ${parsed.detail}.`, text)
}
