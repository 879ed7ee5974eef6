import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import type { Log } from '../store/connect.ts'
import { troubleOf } from '../store/trouble.ts'
import { bodyOf, HTTP_PROBLEMS, HttpProblem, type HttpProblemCode, PROBLEM_TYPE } from './api/problem.ts'
import { REQUEST_ID_HEADER } from './request-id.ts'

/** Seconds after which a client should try again when the database is away. */
const RETRY_AFTER_SECONDS = '2'

export function sendProblem(reply: FastifyReply, problem: HttpProblem): FastifyReply {
  return (
    reply
      .code(HTTP_PROBLEMS[problem.code].status)
      // Of the answer that was about to be given.
      .removeHeader('etag')
      .removeHeader('cache-control')
      .headers(problem.headers)
      .type(PROBLEM_TYPE)
      .send(bodyOf(problem, reply.request.id))
  )
}

/** Whatever ends a request, as the problem that the client gets. Bugs are logged; their answer has only an id. */
export function problemOf(error: unknown, request: FastifyRequest, log: Log): HttpProblem {
  if (error instanceof HttpProblem) return error
  const known = problemOfFastify(error)
  if (known) return known
  const fields = { err: error, requestId: request.id, method: request.method, url: request.routeOptions.url }
  const trouble = troubleOf(error)
  if (trouble) {
    log.warn(fields, trouble.advice)
    const { status } = HTTP_PROBLEMS[trouble.code]
    const headers = status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : undefined
    return new HttpProblem(trouble.code, trouble.detail, headers)
  }
  log.error(fields, 'A request has failed because of a bug')
  const detail = `This is a bug, and it has been logged under the id ${request.id}: please report it.`
  return new HttpProblem('service/bug', detail)
}

const OF_FASTIFY: Readonly<Record<string, readonly [HttpProblemCode, string]>> = {
  FST_ERR_BAD_URL: ['request/malformed_url', 'The path has an escape that is not UTF-8: correct it.'],
  FST_ERR_MAX_PARAM_LENGTH: ['request/no_route', 'A part of the path is too long for any id.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'request/unsupported_media_type',
    'The header Content-Type is missing or not one of this route.',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['request/too_large', 'The body is larger than this route takes.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'request/incomplete_body',
    'The body has another length than the header Content-Length says.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['request/malformed_json', 'The body is empty: send JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['request/malformed_json', 'The body is not JSON.'],
}

/** By status, for refusals of Fastify that are not in the table. */
const BY_STATUS: Readonly<Record<number, HttpProblemCode>> = {
  404: 'request/no_route',
  405: 'request/method_not_allowed',
  413: 'request/too_large',
  415: 'request/unsupported_media_type',
}

/** What Fastify refuses is never a bug, whatever the next version of it refuses. */
function problemOfFastify(error: unknown): HttpProblem | undefined {
  const { code, statusCode = 500 } = (error ?? {}) as Partial<FastifyError>
  if (!code?.startsWith('FST_')) return undefined
  const known = OF_FASTIFY[code]
  if (known) return new HttpProblem(...known)
  if (statusCode < 400 || statusCode >= 500) return undefined
  const kind = BY_STATUS[statusCode] ?? 'request/malformed_http'
  return new HttpProblem(kind, 'The request cannot be read: see docs/api.md for what can be sent.')
}

/** Answers what is no HTTP request, or did not arrive in time, and ends the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex, requestId: string): void {
  if (error.code !== 'ECONNRESET') endWith(socket, new HttpProblem(...problemOfClient(error.code)), requestId)
}

/** Node.js has CONNECT answered by a listener of its own, or by nobody. */
export function refuseTunnel(socket: Duplex, requestId: string): void {
  const allow = 'GET, HEAD, POST, PUT, DELETE'
  const detail = `CONNECT cannot be used here: use ${allow}.`
  endWith(socket, new HttpProblem('request/method_not_allowed', detail, { allow }), requestId)
}

function endWith(socket: Duplex, problem: HttpProblem, requestId: string): void {
  if (socket.destroyed) return
  const { status } = HTTP_PROBLEMS[problem.code]
  const body = JSON.stringify(bodyOf(problem, requestId))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID_HEADER}: ${requestId}`,
    ...Object.entries(problem.headers).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  else socket.destroy()
}

function problemOfClient(code: string | undefined): readonly [HttpProblemCode, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return ['request/timeout', 'The request did not arrive in time: send it again.']
  if (code === 'HPE_HEADER_OVERFLOW')
    return ['request/headers_too_large', 'The headers are larger than 16 kB: send fewer or shorter ones.']
  return ['request/malformed_http', 'This is not an HTTP/1.1 request that can be read.']
}
