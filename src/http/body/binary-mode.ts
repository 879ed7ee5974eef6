import type { IncomingHttpHeaders } from 'node:http'
import { isJsonMediaType } from '../../core/text/media-type.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { saysAll } from '../../core/text/json/exact-json.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { HttpProblem, shown } from '../api/problem.ts'
import { deliveredText, excessive } from './deliver-element.ts'
import { decodeUtf8, readDocument } from './read-json.ts'

const PREFIX = 'ce-'
/** Not attributes: data is the body, and its type is that of the body. */
const NOT_ATTRIBUTES: ReadonlySet<string> = new Set(['data', 'data_base64', 'datacontenttype'])

/**
 * Are the event's attributes in the headers, and its data in the body? (CloudEvents HTTP binding 1.0.2, 3.1) One that
 * forgets its version is still such an event.
 */
export function isBinaryMode(headers: IncomingHttpHeaders, type: string): boolean {
  if (type.startsWith('application/cloudevents')) return false
  return headers['ce-specversion'] !== undefined || (headers['ce-id'] ?? headers['ce-type']) !== undefined
}

/**
 * The event of a request in binary mode, in its JSON form. Throws 415 when the data is no JSON, which no event
 * type of ours could read, and 400 for headers that are no attributes.
 * @param rawHeaders names and values in turn, as they came: only these tell of a header that is there twice
 */
export function readBinaryEvent(
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  body: Buffer,
): Delivered {
  const contentType = headers['content-type']
  if (contentType !== undefined && !isJsonMediaType(contentType)) {
    const detail = `The data of the event is ${shown(contentType)}: send application/json.`
    throw new HttpProblem('request/unsupported_media_type', detail)
  }
  refuseRepeated(rawHeaders)
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [attributeOf(name), decodeHeader(name, String(value))] as const)
  const type = contentType === undefined ? [] : [['datacontenttype', contentType] as const]
  // By entries: an attribute called __proto__ is an attribute.
  const all = Object.fromEntries<Json>([...attributes, ...type])
  if (body.length === 0) return { raw: all }
  const read = readDocument(body)
  if ('excess' in read) return { ...excessive(read.excess, body), named: all }
  const { value: data, text, scan } = read
  const event = { ...all, data }
  if (saysAll(data, scan)) return { raw: event }
  // As it would be in structured mode, so that a place is named in the same words.
  const structured = `${JSON.stringify(all).slice(0, -1)},"data":${text}}`
  return deliveredText(event, structured)
}

/** Header names have no case, and an attribute has one value. */
function refuseRepeated(rawHeaders: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of rawHeaders.filter((_, index) => index % 2 === 0).map((raw) => raw.toLowerCase())) {
    if (seen.has(name) && name.startsWith(PREFIX)) {
      throw new HttpProblem(
        'request/malformed_http',
        `The header ${name} is there more than once: send it once.`,
      )
    }
    seen.add(name)
  }
}

function attributeOf(header: string): string {
  const name = header.slice(PREFIX.length)
  if (!NOT_ATTRIBUTES.has(name)) return name
  const fix = name === 'datacontenttype' ? 'send Content-Type' : 'send data as the body'
  throw new HttpProblem('request/malformed_http', `The header ${header} is no attribute: ${fix}.`)
}

/** A header's value may be quoted, and is percent-encoded UTF-8: unquoted first, then decoded once (3.1.3.2). */
function decodeHeader(name: string, value: string): string {
  const text = decodeUtf8(Buffer.from(unquoted(name, value), 'latin1'))
  try {
    if (text !== undefined) return decodeURIComponent(text)
  } catch {
    // As below.
  }
  const detail = `The header ${name} is not percent-encoded UTF-8: encode % as %25.`
  throw new HttpProblem('request/malformed_http', detail)
}

function unquoted(name: string, value: string): string {
  if (!value.startsWith('"')) return value
  if (/^"(?:[^"\\]|\\.)*"$/.test(value)) return value.slice(1, -1).replace(/\\(.)/g, '$1')
  const detail = `The header ${name} begins with a quote that does not end: escape " as \\" within, or as %22.`
  throw new HttpProblem('request/malformed_http', detail)
}
