import type { ManifestCode } from '../../flows/sources/announce.ts'
import type { AccountCode } from '../../flows/accounts/refuse-account.ts'
import type { KeyCode } from '../../flows/keys/make-key.ts'

interface ProblemKind {
  readonly status: number
  /** The same for every occurrence; `detail` tells what happened in this one. */
  readonly title: string
}

/** Every problem that an answer can name, besides the rejections of events. Codes are public API: add, never rename. */
export const HTTP_PROBLEMS = {
  'request/malformed_http': { status: 400, title: 'Not an HTTP request' },
  'request/malformed_url': { status: 400, title: 'The URL cannot be decoded' },
  'request/malformed_json': { status: 400, title: 'The body is not JSON' },
  'request/invalid_utf8': { status: 400, title: 'The body is not UTF-8' },
  'request/invalid_gzip': { status: 400, title: 'The body is not complete gzip data' },
  'request/incomplete_body': { status: 400, title: 'The body has another length than announced' },
  'request/invalid_body': { status: 400, title: 'The body has the wrong form' },
  'request/invalid_parameter': { status: 400, title: 'A parameter has a value that cannot be used' },
  'request/missing_parameter': { status: 400, title: 'A parameter is missing' },
  'request/unknown_parameter': { status: 400, title: 'A parameter is not known' },
  'request/invalid_cursor': { status: 400, title: 'The cursor is not one of this list' },
  'request/invalid_position': { status: 400, title: 'There is no such line to continue behind' },
  'request/range_too_long': { status: 400, title: 'The time range is too long' },
  'auth/missing_key': { status: 401, title: 'A key is needed' },
  'auth/malformed_key': { status: 401, title: 'Not a key of Farthing' },
  'auth/unknown_key': { status: 401, title: 'The key is not valid' },
  'auth/missing_scope': { status: 403, title: 'The key does not allow this' },
  'auth/foreign_account': { status: 403, title: 'The key is bound to another account' },
  'auth/bound_key': { status: 403, title: 'A key bound to an account cannot do this' },
  'request/no_route': { status: 404, title: 'There is nothing at this address' },
  'bill/not_found': { status: 404, title: 'There is no such bill' },
  'bill/not_in_checkpoint': { status: 409, title: 'No checkpoint covers the bill yet' },
  'tlog/unsigned': { status: 404, title: 'The log has no signed checkpoint' },
  'tlog/no_tile': { status: 404, title: 'The log has no such tile' },
  'bill/line_not_found': { status: 404, title: 'The bill has no such line' },
  'price/version_not_found': { status: 404, title: 'There is no such version of the price book' },
  'void/not_found': { status: 404, title: 'There is no such event' },
  'source/not_silent': { status: 404, title: 'There is no such silent source' },
  'key/not_found': { status: 404, title: 'There is no such key' },
  'request/method_not_allowed': { status: 405, title: 'The method cannot be used here' },
  'request/timeout': { status: 408, title: 'The request took too long to arrive' },
  'request/too_slow': { status: 408, title: 'The body arrives too slowly' },
  'price_list/not_found': { status: 404, title: 'There is no such price list' },
  'price_list/invalid': { status: 422, title: 'Not a price list' },
  'price_list/changes_past': { status: 409, title: 'It changes hours that have begun' },
  'price_book/newer_version': { status: 409, title: 'A newer version of the price book was published' },
  'price_book/changes_past': { status: 409, title: 'The price book changes hours that have begun' },
  'key/already_made': { status: 409, title: 'This request has made the key before' },
  'idempotency/in_progress': { status: 409, title: 'The request is still worked on' },
  'idempotency/invalid_key': { status: 400, title: 'The Idempotency-Key cannot be used' },
  'export/does_not_fit': { status: 422, title: 'A value does not fit into the format' },
  'idempotency/other_request': { status: 422, title: 'Another request had this Idempotency-Key' },
  'key/last_admin': { status: 409, title: 'The last admin key cannot be revoked' },
  'request/too_large': { status: 413, title: 'The body is too large' },
  'request/unpacks_too_large': { status: 413, title: 'The unpacked body is too large' },
  'request/too_many_events': { status: 413, title: 'Too many events in one request' },
  'request/too_complex': { status: 413, title: 'The body is too complex' },
  'request/unsupported_media_type': { status: 415, title: 'The content type is not supported' },
  'request/unsupported_encoding': { status: 415, title: 'The content encoding is not supported' },
  'price_book/invalid': { status: 422, title: 'The price book has problems' },
  'price_book/illustrative': { status: 422, title: 'The price book has illustrative prices' },
  'meter/not_found': { status: 404, title: 'There is no such meter' },
  'meter/unclear': { status: 422, title: 'It is not clear what the meter counts' },
  'meter/too_many_rows': { status: 422, title: 'The answer would have too many rows' },
  'usage/answer_gone': { status: 410, title: 'The figures have changed since the first page' },
  'usage/too_many_rows': { status: 422, title: 'The answer would have too many rows' },
  'usage/too_many_calendars': { status: 422, title: 'Too many accounts have months of their own' },
  'usage/too_many_tagged_accounts': { status: 422, title: 'Too many accounts have the tags' },
  'usage/too_many_open_accounts': { status: 422, title: 'Too many accounts have usage without bills' },
  'usage/too_many_open_events': { status: 422, title: 'The open hours have too many events' },
  'source/too_many_events': { status: 422, title: 'The hours have too many events' },
  'void/too_many': { status: 422, title: 'The id has too many events' },
  'void/own_event': { status: 422, title: 'Farthing itself added the events' },
  'void/unclear_selection': { status: 400, title: 'It is not clear which events are meant' },
  'void/reason_missing': { status: 400, title: 'A reason is missing' },
  'void/invalid_reason': { status: 400, title: 'The reason cannot be used' },
  'manifest/invalid_source': { status: 400, title: 'The source cannot be used' },
  'manifest/hour_out_of_range': { status: 400, title: 'The hour cannot be announced' },
  'account/not_found': { status: 404, title: 'There is no such account' },
  'account/invalid_account': { status: 400, title: 'The account cannot be used' },
  'account/invalid_name': { status: 400, title: 'The name of the account cannot be used' },
  'account/invalid_tags': { status: 400, title: 'The tags cannot be used' },
  'account/unknown_time_zone': { status: 400, title: 'There is no such time zone' },
  'account/closed_in_future': { status: 400, title: 'The account cannot be closed in the future' },
  'account/unknown_price_list': { status: 400, title: 'There is no such price list' },
  'account/invalid_price_lists': { status: 400, title: 'The price lists cannot be used' },
  'account/price_list_begun': { status: 409, title: 'What has begun cannot be altered' },
  'account/closed_too_early': { status: 400, title: 'The account cannot be closed so long ago' },
  'key/invalid_name': { status: 400, title: 'The name of the key cannot be used' },
  'key/invalid_account': { status: 400, title: 'The account of the key cannot be used' },
  'key/scope_not_bindable': { status: 400, title: 'The scope and the account exclude each other' },
  'key/expired': { status: 400, title: 'The key would be expired already' },
  'ingest/overloaded': { status: 429, title: 'Too much is being taken in at once' },
  'request/too_many_bodies': { status: 429, title: 'The key has too many bodies at once' },
  'request/too_many_exports': { status: 429, title: 'Too many exports run at once' },
  'request/too_many_questions': { status: 429, title: 'Too many questions of one key at once' },
  'request/too_frequent': { status: 429, title: 'Too many questions of one key a second' },
  'request/too_many_connections': { status: 429, title: 'Too many connections of one address' },
  'auth/too_many_unknown_keys': { status: 429, title: 'Too many keys that are not valid' },
  'request/foreign_host': { status: 421, title: 'The request is for another host' },
  'request/headers_too_large': { status: 431, title: 'The headers are too large' },
  'service/bug': { status: 500, title: 'Farthing has failed' },
  'service/unavailable': { status: 503, title: 'The database cannot be reached' },
  'service/too_many_sessions': { status: 503, title: 'The database has no session left' },
  'service/too_slow': { status: 503, title: 'The answer took too long' },
  'service/busy': { status: 503, title: 'The database is busy' },
  'service/damaged': { status: 500, title: 'The database is damaged' },
  'service/denied': { status: 503, title: 'The database refuses the work' },
  'service/disk_full': { status: 503, title: 'The disk of the database is full' },
  'service/io_error': { status: 503, title: 'The database cannot use its disk' },
  'service/no_descriptors': { status: 503, title: 'No file descriptors are left' },
  'service/out_of_memory': { status: 503, title: 'The database is out of memory' },
  'service/read_only': { status: 503, title: 'The database is read-only' },
  'service/schema': { status: 503, title: 'The database lacks a table' },
  'ingest/unavailable': { status: 503, title: 'The database cannot be reached' },
  'ingest/stopping': { status: 503, title: 'Farthing is stopping' },
} as const satisfies Readonly<Record<string, ProblemKind>>

export type HttpProblemCode = keyof typeof HTTP_PROBLEMS

type Covered<Code extends HttpProblemCode> = Code
/** The compiler alone uses it: codes of the flows that become answers must be in the table. @public */
export type FlowCode = Covered<AccountCode | KeyCode | ManifestCode>

/** Ends a request with an answer of RFC 9457. For what the client can do something about: bugs are other errors. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly code: HttpProblemCode
  readonly headers: Readonly<Record<string, string>>
  readonly more: object

  /**
   * @param detail what is wrong in this request, and where, and what to do: one or two sentences
   * @param more further members of the body
   */
  constructor(
    code: HttpProblemCode,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    more: object = {},
  ) {
    super(detail)
    this.code = code
    this.headers = headers
    this.more = more
  }
}

export const PROBLEM_TYPE = 'application/problem+json'

export interface ProblemFacts {
  readonly status: number
  readonly title: string
  readonly code: string
  readonly detail: string
  /** Of the request that it answers. */
  readonly requestId: string
}

/** The members of RFC 9457, `code` and `requestId`. `type` is about:blank: the code is what programs should look at. */
export function problemBody({ status, title, code, detail, requestId }: ProblemFacts) {
  return { type: 'about:blank', title, status, code, detail, requestId }
}

/** The body that answers a request with a problem. */
export function bodyOf({ code, message, more }: HttpProblem, requestId: string) {
  return { ...problemBody({ ...HTTP_PROBLEMS[code], code, detail: message, requestId }), ...more }
}

/** Foreign text for a message: short, on one line, with nothing that could move a terminal's cursor. */
export function shown(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return JSON.stringify(short.toWellFormed()).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
}
