import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Key } from '../flows/keys/key-scopes.ts'
import { authorize } from './access.ts'
import { withDeadline } from './deadline.ts'
import { onlyOnce } from './idempotency.ts'
import type { Memory } from './body/held-bytes.ts'
import { readBody } from './body/read-body.ts'
import { parameterReader } from './api/parameters.ts'
import { HttpProblem } from './api/problem.ts'
import { type HttpContext, NO_PARAMETERS, type Route } from './route.ts'

/** The bodies of all routes but events: a key's description. */
const SMALL_BODY_BYTES_MAX = 65_536
const NO_BODY = Buffer.alloc(0)

/** Answers a request in the first hook that Fastify has, from which it does not go on. */
export type Serve = (request: FastifyRequest, reply: FastifyReply) => void

/**
 * All that is done for a request: who asks, its body, its parameters, its answer. In one hook and by calls: Fastify's way
 * from there to a handler costs a tenth of what one event a request does (docs/performance-journal.md). Whatever is thrown goes to its
 * error handler.
 */
export function serveRoute(route: Route, context: HttpContext, answerMs: number): Serve {
  const { url, access, bodyBytesMax = SMALL_BODY_BYTES_MAX } = route
  const answer: Route['handle'] =
    route.idempotent && !route.findsRepeats ? onlyOnce(route) : (call, context) => route.handle(call, context)
  const readQuery = parameterReader(route.query ?? NO_PARAMETERS)
  const readParams = parameterReader(route.params ?? NO_PARAMETERS)

  function takeKey(request: FastifyRequest, reply: FastifyReply, key: Key | undefined): void {
    request.key = key
    if (!hasBody(request)) {
      handle(request, reply, NO_BODY)
      return
    }
    const memory = isForBodies(request) ? request.memory : NO_MEMORY
    const source = { raw: request.raw, bytesMax: bodyBytesMax, memory }
    readBody(source, (problem, body) => {
      if (problem) refuseBody(reply, problem)
      else attempt(reply, () => handle(request, reply, body!))
    })
  }

  function handle(request: FastifyRequest, reply: FastifyReply, body: Buffer): void {
    const query = readQuery(request.query as Record<string, unknown>)
    const params = readParams(request.params as Record<string, unknown>)
    const call = { query, params, body, key: request.key, request, reply }
    whenThere(reply, withDeadline(answerMs, answer(call, context)), (value) => send(reply, value))
  }

  return (request, reply) => {
    request.served = url
    whenThere(reply, authorize(request, access, context.keys), (key) => takeKey(request, reply, key))
  }
}

/** Go on with a value: at once, or when it is there. */
function whenThere<Value>(
  reply: FastifyReply,
  value: Value | Promise<Value>,
  goOn: (value: Value) => void,
): void {
  if (!(value instanceof Promise)) {
    goOn(value)
    return
  }
  value.then(
    (there) => attempt(reply, () => goOn(there)),
    (error: unknown) => fail(reply, error),
  )
}

function attempt(reply: FastifyReply, work: () => void): void {
  try {
    work()
  } catch (error) {
    fail(reply, error)
  }
}

function fail(reply: FastifyReply, error: unknown): void {
  if (!reply.sent) void reply.send(error instanceof Error ? error : new Error(String(error)))
}

/** The rest of the body may still be coming: the connection is of no more use. */
function refuseBody(reply: FastifyReply, problem: unknown): void {
  void reply.header('connection', 'close')
  fail(reply, problem)
}

/** @param value undefined, or the reply itself: the route has answered */
function send(reply: FastifyReply, value: unknown): void {
  if (value !== undefined && value !== reply && !reply.sent) void reply.send(value)
}

/** The methods whose bodies say something. Those of others may be empty, and no more. */
function isForBodies({ method }: FastifyRequest): boolean {
  return method === 'POST' || method === 'PUT'
}

const NO_MEMORY: Memory = {
  take(bytes) {
    if (bytes > 0)
      throw new HttpProblem('request/invalid_body', 'There is a body that nobody reads: send none.')
  },
}

const MEDIA_TYPE = /^[^\s/;,]+\/[^\s/;,]+/

/** @throws HttpProblem for a body of which nobody says what it is */
function hasBody({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  const length = headers['content-length'] ?? '0'
  if (length === '0' && headers['transfer-encoding'] === undefined) return false
  if (MEDIA_TYPE.test(headers['content-type'] ?? '')) return true
  const detail = 'The header Content-Type is missing or not one of this route.'
  throw new HttpProblem('request/unsupported_media_type', detail)
}
