import type { IncomingHttpHeaders } from 'node:http'
import type { Json } from '../../core/text/canonical-json.ts'
import { HttpProblem, shown } from '../problem.ts'
import { readJsonBody } from './read-json.ts'

const PREFIX = 'ce-'

/** Are the event's attributes in the headers, and its data in the body? (CloudEvents HTTP binding 1.0, 3.1) */
export function isBinaryMode(headers: IncomingHttpHeaders, type: string): boolean {
  return headers['ce-specversion'] !== undefined && !type.startsWith('application/cloudevents')
}

/**
 * The event of a request in binary mode, in its JSON form. Throws 415 when the data is no JSON, which no event
 * type of ours could read.
 */
export function readBinaryEvent(headers: IncomingHttpHeaders, type: string, body: Buffer): Json {
  if (type !== '' && type !== 'application/json' && !type.endsWith('+json')) {
    const detail = `The data of the event is ${shown(type)}: send application/json.`
    throw new HttpProblem('request/unsupported_media_type', detail)
  }
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [name.slice(PREFIX.length), decodeHeader(name, String(value))] as const)
  const data = body.length === 0 ? [] : [['data', readJsonBody(body)] as const]
  // By entries: an attribute called __proto__ is an attribute.
  return Object.fromEntries<Json>([...attributes, ...data])
}

/** A header's value may be quoted, and is percent-encoded UTF-8. */
function decodeHeader(name: string, value: string): string {
  const text = /^".*"$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
  try {
    return decodeURIComponent(Buffer.from(text, 'latin1').toString('utf8'))
  } catch {
    const detail = `The header ${name} is not percent-encoded UTF-8: encode % as %25.`
    throw new HttpProblem('request/malformed_http', detail)
  }
}
