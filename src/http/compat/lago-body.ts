import { isObject } from '../../core/ingest/read-usage.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { saysAll } from '../../core/text/json/exact-json.ts'
import { COLON, COMMA, OPEN_LIST, OPEN_OBJECT } from '../../core/text/json/json-signs.ts'
import { afterBlanks, scanValue } from '../../core/text/json/scan-json.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { HttpProblem } from '../api/problem.ts'
import { deliveredElement, excessive } from '../body/deliver-element.ts'
import { ELEMENT } from '../body/limits.ts'
import {
  malformed,
  parseJson,
  parseJsonBody,
  type ParsedJson,
  readDocument,
  refuseFault,
  startOfJson,
  tooComplex,
} from '../body/read-json.ts'
import { readList } from '../body/read-list.ts'
import { readLagoEvent } from './lago-event.ts'

/** Events of a Lago client as they came, and as CloudEvents. */
export interface LagoEvents {
  /** Null for one that no parser has seen. */
  readonly sent: readonly Json[]
  readonly delivered: readonly Delivered[]
}

/**
 * The body `{"event": …}`. Throws 400 where its text leaves open which event is meant.
 * @returns undefined for a body of another form, also for one that is no JSON
 */
export function readLagoSingle(body: Buffer): LagoEvents | undefined {
  const start = findMember(body, 'event')
  if (start === undefined) return undefined
  const scan = scanValue(body, start, ELEMENT)
  const around = readAround(body, start, scan.end)
  if (around === undefined || (isObject(around.value) && around.value['specversion'] !== undefined)) {
    return undefined
  }
  refuseFaults(around)
  if (scan.excess) {
    return { sent: [null], delivered: [excessive(scan.excess, body.subarray(start, scan.end))] }
  }
  const text = body.toString('utf8', start, scan.end)
  const value = parseJson(text)
  if (value === undefined) throw malformed(body)
  return { sent: [value], delivered: [deliveredElement({ value, text, scan }, readLagoEvent)] }
}

/**
 * The body `{"events": […]}`. Throws 400 for another form, or where its text leaves open which events are meant; and 413
 * for more than a request may have.
 */
export function readLagoBatch(body: Buffer): LagoEvents {
  const start = findMember(body, 'events')
  if (start === undefined || body[start] !== OPEN_LIST) {
    parseJsonBody(body)
    throw new HttpProblem('request/invalid_body', 'The body has no list of events: send {"events": […]}.')
  }
  const { values, delivered, end } = readList(body, start, readLagoEvent)
  const around = readAround(body, start, end)
  if (around === undefined) throw malformed(body)
  refuseFaults(around)
  return { sent: values, delivered }
}

/**
 * Where the value of the first such member of the outermost object begins.
 * @returns undefined when there is none within as many bytes as one value may have
 */
function findMember(body: Buffer, name: string): number | undefined {
  const opening = startOfJson(body)
  if (body[opening] !== OPEN_OBJECT) return undefined
  const front = body.subarray(0, opening + ELEMENT.bytesMax)
  for (let at = opening; at < front.length;) {
    const key = scanValue(front, at + 1, ELEMENT)
    if (front[key.end] !== COLON) return undefined
    const start = afterBlanks(front, key.end + 1)
    if (parseJson(front.toString('utf8', at + 1, key.end)) === name) return start
    at = scanValue(front, start, ELEMENT).end
    if (front[at] !== COMMA) return undefined
  }
  return undefined
}

/**
 * What stands around the value of a member, with null in its place.
 * @returns undefined for what is no JSON
 * @throws HttpProblem 413 for more than one value may have
 */
function readAround(body: Buffer, start: number, end: number): ParsedJson | undefined {
  const [front, back] = [body.subarray(0, start), body.subarray(end)]
  if (front.length + back.length > ELEMENT.bytesMax) throw tooComplex('The body beside its events', 'bytes')
  try {
    const read = readDocument(Buffer.concat([front, Buffer.from('null'), back]))
    if ('excess' in read) throw tooComplex('The body beside its events', read.excess)
    return read
  } catch (error) {
    // Places are those of the whole.
    if (error instanceof HttpProblem && error.code === 'request/malformed_json') return undefined
    throw error
  }
}

/** What stands beside the events must be what it was parsed to. */
function refuseFaults({ value, text, scan }: ParsedJson): void {
  if (!saysAll(value, scan)) refuseFault(text)
}
