import { decodeBase64Text } from '../text/base64.ts'
import { canonicalJson, type Json } from '../text/canonical-json.ts'
import { findFault } from '../text/json/json-faults.ts'
import { isJsonMediaType } from '../text/media-type.ts'
import { byteLength, refuseText } from '../text/well-formed.ts'
import { hourOf } from '../time/hour.ts'
import {
  formatInstant,
  type Instant,
  type InstantRefusal,
  parseInstant,
  SECOND_DIGITS_MAX,
} from '../time/instant.ts'
import { CLOSED_SOURCE, isReservedSource } from './ended-level.ts'
import type { UsageEvent } from './event.ts'
import { type Attributes, contentTypeOf, readAttributes } from './read-attributes.ts'
import {
  ACCOUNT_BYTES_MAX,
  asName,
  ID_BYTES_MAX,
  requireText,
  SOURCE_BYTES_MAX,
  TYPE_BYTES_MAX,
} from './read-text.ts'
import { isObject, readUsage } from './read-usage.ts'
import { rejectFault } from './reject-fault.ts'
import { isRejection, reject, type Rejection } from './rejection.ts'
import type { EventType } from './usage.ts'

/** Clocks of senders may be ahead of ours by this much; a later time is a mistake, and would wait unbilled. */
export const FUTURE_MS_MAX = 5 * 60_000
/** The oldest time that is accepted: older ones are clocks that were never set. */
export const EARLIEST = Date.UTC(2000, 0, 1) as Instant
/** The RFC 8785 form of `data`, and that of the further attributes, in UTF-8 bytes. */
export const DATA_BYTES_MAX = 65_536
/** Nesting of `data`: no operator's facts are deeper, and it bounds recursion. */
export const DEPTH_MAX = 16

/** What reading an event depends on, besides the event. */
export interface Acceptance {
  /** The time of receipt: `time` may be at most 5 minutes later. */
  readonly receivedAt: Instant
  readonly eventTypes: ReadonlyMap<string, EventType>
  /** The only account that the sender's key may send for; undefined: any. */
  readonly boundAccount?: string | undefined
}

/**
 * Read one CloudEvent in its JSON form. Everything that could fail the storing of an event is refused here,
 * so that no event can fail the commit of its neighbours.
 * @param raw what JSON.parse gave of a text without faults (`isExactJson`); `data` still as parsed JSON
 * @returns the event (with `usage` undefined if its type is unknown), or why it can never be accepted
 */
export function accept(
  raw: Json,
  { receivedAt, eventTypes, boundAccount }: Acceptance,
): UsageEvent | Rejection {
  if (!isObject(raw))
    return reject('event/not_an_object', 'The event is not a JSON object: send a CloudEvent.')
  const { specversion, id: rawId, source: rawSource, type: rawType, subject, time } = raw
  if (specversion !== '1.0') {
    const isMissing = specversion === undefined || specversion === null
    const code = isMissing ? 'event/missing_attribute' : 'event/invalid_attribute'
    return reject(code, 'specversion is not "1.0": send a CloudEvent of version 1.0.')
  }
  const id = requireText(rawId, 'id', ID_BYTES_MAX)
  if (isRejection(id)) return id
  const source = requireText(rawSource, 'source', SOURCE_BYTES_MAX)
  if (isRejection(source)) return source
  if (isReservedSource(source)) {
    return reject('event/reserved_source', `source ends with ${CLOSED_SOURCE}: send one of your own.`)
  }
  const type = asName(requireText(rawType, 'type', TYPE_BYTES_MAX), 'type', TYPE_BYTES_MAX)
  if (isRejection(type)) return type
  const account = requireText(subject, 'subject (the account)', ACCOUNT_BYTES_MAX)
  if (isRejection(account)) return account
  if (boundAccount !== undefined && account !== boundAccount) {
    return reject('event/foreign_account', 'subject is not the account of this key: send its own usage only.')
  }
  const at = readTime(time, receivedAt)
  if (isRejection(at)) return at
  const read = readContent(raw)
  if (isRejection(read)) return read
  const eventType = eventTypes.get(type)
  const usage = eventType && readUsage(eventType, read.fields)
  if (isRejection(usage)) return usage
  const { data, attributes } = read
  return { account, source, id, type, at, hour: hourOf(at), data, attributes, usage }
}

const TIME_ADVICE: Record<InstantRefusal, string> = {
  not_rfc3339: 'is not an RFC 3339 time: send one such as 2025-07-28T03:00:00Z',
  no_offset: 'has no offset: end it with Z or with one such as +08:00',
  not_a_date: 'is not an instant of the calendar (seconds go from 0 to 59): correct it',
  too_fine: `has more than ${SECOND_DIGITS_MAX} digits after the point: send fewer`,
}

function readTime(time: Json | undefined, receivedAt: Instant): Instant | Rejection {
  if (time === undefined || time === null) {
    return reject('event/missing_attribute', 'time is missing: send when the usage happened, in RFC 3339.')
  }
  const at = typeof time === 'string' ? parseInstant(time) : 'not_rfc3339'
  if (typeof at === 'string') return reject('event/invalid_time', `time ${TIME_ADVICE[at]}.`)
  if (at < EARLIEST) {
    return reject('event/time_out_of_range', `time is before ${formatInstant(EARLIEST)}: check the clock.`)
  }
  if (at > receivedAt + FUTURE_MS_MAX) {
    const now = formatInstant(receivedAt)
    return reject(
      'event/time_out_of_range',
      `time is over 5 minutes later than now (${now}): check the clock.`,
    )
  }
  return at
}

interface Content {
  readonly fields: { readonly [key: string]: Json }
  readonly data: string
  readonly attributes: string | null
}

function readContent(raw: Attributes): Content | Rejection {
  const attributes = readAttributes(raw)
  if (isRejection(attributes)) return attributes
  const { data, data_base64: encoded } = raw
  const value = isPresent(encoded) ? decodeData(data, encoded, contentTypeOf(attributes)) : data
  if (isRejection(value)) return value
  if (!isPresent(value)) return reject('event/missing_data', 'data is missing: send what was used.')
  if (!isObject(value)) {
    return reject('event/invalid_data', 'data is not a JSON object: send what was used as one.')
  }
  const canonical = canonicalPart(value, 'data')
  if (isRejection(canonical)) return canonical
  const hasOthers = Object.keys(attributes).length > 0
  const kept = hasOthers ? canonicalPart(attributes, 'An extension attribute') : null
  if (isRejection(kept)) return kept
  return { fields: value, data: canonical, attributes: kept }
}

function isPresent(value: Json | undefined): value is Exclude<Json, null> {
  return value !== undefined && value !== null
}

/** JSON that was sent as its bytes (CloudEvents JSON format 1.0.2, 3.1). Other content says nothing of usage. */
function decodeData(
  data: Json | undefined,
  encoded: Json,
  contentType: string | undefined,
): Json | Rejection {
  if (isPresent(data)) {
    return reject('event/invalid_data', 'data and data_base64 are both there: send one of them.')
  }
  if (contentType !== undefined && !isJsonMediaType(contentType)) {
    return reject('event/invalid_data', 'data_base64 is not JSON, as datacontenttype says: send JSON.')
  }
  if (typeof encoded !== 'string') {
    return reject('event/invalid_data', 'data_base64 is not a string: send Base64, or send data.')
  }
  if (encoded.length > 4 * Math.ceil(DATA_BYTES_MAX / 3)) {
    return reject('event/too_long', `data_base64 is longer than ${DATA_BYTES_MAX} bytes: send less.`)
  }
  const decoded = decodeBase64Text(encoded)
  if ('not' in decoded) {
    return reject('event/invalid_data', `data_base64 is not ${decoded.not}: send JSON in UTF-8 as Base64.`)
  }
  return parseData(decoded.text)
}

function parseData(text: string): Json | Rejection {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return reject('event/invalid_data', 'data_base64 is not JSON once decoded: send JSON, or send data.')
  }
  const fault = findFault(text)
  return fault ? rejectFault({ ...fault, path: ['data', ...fault.path] }) : value
}

/** The canonical form, if it can be stored: not too deep, not too large, and well-formed text throughout. */
function canonicalPart(value: { readonly [key: string]: Json }, name: string): string | Rejection {
  const shape = refuseShape(value, DEPTH_MAX)
  if (shape !== undefined) return reject('event/invalid_data', `${name} ${shape}.`)
  const canonical = canonicalJson(value)
  if (canonical.length * 3 > DATA_BYTES_MAX && byteLength(canonical) > DATA_BYTES_MAX) {
    return reject('event/too_long', `${name} is longer than ${DATA_BYTES_MAX} bytes: send less.`)
  }
  // Escapes are rare, so most events need no walk over their texts.
  if (canonical.includes('\\u') && hasBadText(value)) {
    const what = 'has a text with U+0000 or an unpaired surrogate'
    return reject('event/invalid_text', `${name} ${what}: send well-formed text.`)
  }
  return canonical
}

/** What has no RFC 8785 form, or too deep a one: JSON.parse reads a number such as 1e999 as infinite. */
function refuseShape(value: Json, levels: number): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return 'has a number that is too large: send it as a decimal string'
  }
  if (value === null || typeof value !== 'object') return undefined
  if (levels === 0) return `is nested deeper than ${DEPTH_MAX} levels: flatten it`
  for (const inner of Object.values(value)) {
    const refusal = refuseShape(inner, levels - 1)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function hasBadText(value: Json): boolean {
  if (typeof value === 'string') return refuseText(value) !== undefined
  if (value === null || typeof value !== 'object') return false
  return Object.entries(value).some(
    ([key, inner]: [string, Json]) => refuseText(key) !== undefined || hasBadText(inner),
  )
}
