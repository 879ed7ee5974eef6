import compress, { type FastifyCompressOptions } from '@fastify/compress'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { TObject } from 'typebox'
import type { Key } from '../flows/keys/key-scopes.ts'
import { authorize } from './access.ts'
import { answerClientError, problemOf, refuseTunnel, sendProblem } from './errors.ts'
import { BodyMemory } from './body/held-bytes.ts'
import { limitConnections } from './limits/connection-limit.ts'
import { makeMetrics } from './metrics.ts'
import { describeApi, type OpenApi } from './api/openapi.ts'
import { validatorOf } from './api/parameters.ts'
import { makeRequestIds, REQUEST_ID_HEADER } from './request-id.ts'
import type { Access, HttpContext, HttpParts } from './route.ts'
import { ROUTES } from './routes.ts'
import { stopsWhenAnswered } from './stop.ts'
import { refuseHosts } from './hosts.ts'
import { makeRefusal } from './refuse-address.ts'
import { routeOptions } from './route-options.ts'
import { takeBody } from './take-body.ts'
import { tagPacked } from './unchanged.ts'

/** How long everything may take, in milliseconds. */
export interface Patience {
  /** The headers of a request must have arrived after this long. Looked at every 5 s. */
  readonly headersMs: number
  /**
   * And all of it after this long. A stream of lines may go on for minutes: memory, connections and the pace of bodies have
   * limits of their own.
   */
  readonly requestMs: number
  /**
   * A connection on which nothing happens for this long is closed; within a body, with a 408. Above the keep-alive of most
   * proxies, and above the pause that a stream of lines may make.
   */
  readonly connectionMs: number
  /** An answer begins within this time after the request has arrived, or is a 503. */
  readonly answerMs: number
}

export const PATIENCE: Patience = {
  headersMs: 20_000,
  requestMs: 600_000,
  connectionMs: 75_000,
  answerMs: 35_000,
}
/** Longer than the longest id in a path: an account of 255 escaped bytes. */
const PARAMETER_LENGTH_MAX = 2048

/** Bytes of an answer from which on packing it saves more than it costs. */
const PACKED_BYTES_MIN = 1024

/** Answers are packed for clients that ask for it; bodies are unpacked by our own reader, which bounds them. */
const PACKING: FastifyCompressOptions = {
  encodings: ['gzip'],
  threshold: PACKED_BYTES_MIN,
  customTypes: /^text\/|[/+](?:json|x-ndjson|yaml)(?:;|$)/,
  globalDecompression: false,
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. Each route states it. */
    readonly access?: Access
    /** Its answers have an ETag. */
    readonly tagged?: boolean
  }
  interface FastifyRequest {
    key: Key | undefined
    /** The address of the API at which its method was refused. */
    refusedAt: string | undefined
    /** What its body may take up. */
    memory: BodyMemory
  }
  interface FastifyInstance {
    /** Every route there is, as `GET /v1/bills`. */
    readonly registered: readonly string[]
    /** What /openapi.json says. */
    readonly description: OpenApi
  }
}

/**
 * The HTTP server, ready to listen. A request goes Fastify's way: hooks that name it, look for its address and check its
 * key; its body, as bytes (takeBody); its parameters (validatorOf); the handler of its route; what is thrown, as a problem.
 */
export async function makeServer(parts: HttpParts, patience = PATIENCE): Promise<FastifyInstance> {
  const context: HttpContext = { ...parts, metrics: makeMetrics() }
  const server = bareServer(context, patience)
  server.setValidatorCompiler<TObject>(({ schema }) => validatorOf(schema))
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', takeBody)
  server.decorateRequest('key', undefined)
  server.decorateRequest('refusedAt', undefined)
  server.decorateRequest('memory')
  const registered: string[] = []
  server.decorate('registered', registered)
  server.decorate('description', describeApi(ROUTES))
  server.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined) throw new Error(`the route ${url} does not say who may use it`)
    registered.push(`${String(method)} ${url}`)
  })
  addHooks(server, context)
  stopsWhenAnswered(server)
  await server.register(compress, PACKING)
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      // Behind the hook that packs answers, which was put there before.
      if (route.config?.tagged) route.onSend = [route.onSend ?? [], tagPacked].flat()
    })
    for (const route of ROUTES) scope.route(routeOptions(route, context, patience.answerMs))
  })
  return server
}

function bareServer({ log, gates }: HttpContext, patience: Patience): FastifyInstance {
  const requestId = makeRequestIds()
  const server = fastify({
    logger: false,
    genReqId: requestId,
    trustProxy: gates.isTrusted,
    requestTimeout: patience.requestMs,
    connectionTimeout: patience.connectionMs,
    keepAliveTimeout: patience.connectionMs,
    http: {
      requestTimeout: patience.requestMs,
      // Node.js exchanges the two when this one is the longer.
      headersTimeout: Math.min(patience.requestMs, patience.headersMs),
      // Told by us, as a problem.
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(patience.requestMs, patience.headersMs, 5_000),
    },
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, requestId()),
    frameworkErrors: (error, request, reply) =>
      void sendProblem(reply.header(REQUEST_ID_HEADER, request.id), problemOf(error, request, log)),
  })
  server.setErrorHandler((error, request, reply) => sendProblem(reply, problemOf(error, request, log)))
  server.server.on('connect', (request, socket) => refuseTunnel(socket, requestId(request)))
  return server
}

/** What happens to every request before its body is read, and after its answer. */
function addHooks(server: FastifyInstance, context: HttpContext): void {
  const { hosts, metrics } = context
  const refusal = makeRefusal(ROUTES)
  server.setNotFoundHandler((request) => {
    throw refusal(request)
  })
  const refuseHost = refuseHosts(hosts)
  server.addHook('onRequest', begin)
  limitConnections(server, context.gates)
  server.addHook('onRequest', (request, _, done) =>
    done(refuseHost(request.raw) ?? (request.is404 ? refusal(request) : undefined)),
  )
  server.addHook('onRequest', (request, _, done) => {
    const { access } = request.routeOptions.config
    whenThere(authorize(request, access!, context), (key) => (request.key = key), done)
  })
  server.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions, refusedAt } = request
    const route = routeOptions.url ?? refusedAt ?? 'none'
    const { statusCode: status, elapsedTime } = reply
    if (reply.raw.writableFinished)
      metrics.countRequest({ method, route, status, seconds: elapsedTime / 1000 })
    done()
  })
}

/** Names the request in its answer. However it ends, what its body took up is given back. */
function begin(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { raw } = reply.header(REQUEST_ID_HEADER, request.id)
  // Anyone who keeps an answer must know that others get it packed. What is sent is not kept.
  if (request.method !== 'POST') void reply.header('vary', 'accept-encoding')
  const memory = new BodyMemory()
  request.memory = memory
  raw.on('close', () => memory.giveBack())
  done()
}

/** Go on with a value: at once, as for nearly all keys, or when it is there. */
function whenThere<Value>(
  value: Value | Promise<Value>,
  take: (value: Value) => void,
  done: (error?: Error) => void,
): void {
  if (value instanceof Promise) {
    value.then(take).then(() => done(), done)
  } else {
    take(value)
    done()
  }
}
