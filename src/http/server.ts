import compress, { type FastifyCompressOptions } from '@fastify/compress'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Key } from '../flows/keys/key-scopes.ts'
import { invariant } from '../core/invariant.ts'
import { answerClientError, problemOf, sendProblem } from './errors.ts'
import { BodyMemory } from './body/held-bytes.ts'
import { countRequest } from './metrics.ts'
import { describeApi, type OpenApi } from './api/openapi.ts'
import { HttpProblem, shown } from './api/problem.ts'
import { makeRequestIds, REQUEST_ID_HEADER } from './request-id.ts'
import type { Access, HttpContext, Route } from './route.ts'
import { ROUTES } from './routes.ts'
import { serveRoute } from './serve-route.ts'
import { tagPacked } from './unchanged.ts'

/** How long everything may take, in milliseconds. */
export interface Patience {
  /** A request must have arrived after this long, however slowly its client sends. Looked at every 5 s. */
  readonly requestMs: number
  /** A connection on which nothing happens for this long is closed. Above the keep-alive of most proxies. */
  readonly connectionMs: number
  /** An answer begins within this time after the request has arrived, or is a 503. */
  readonly answerMs: number
}

export const PATIENCE: Patience = { requestMs: 60_000, connectionMs: 75_000, answerMs: 35_000 }
/** Longer than the longest id in a path: an account of 255 escaped bytes. */
const PARAMETER_LENGTH_MAX = 2048

/** Bytes of an answer from which on packing it saves more than it costs. */
const PACKED_BYTES_MIN = 1024

/** Answers are packed for clients that ask for it; bodies are unpacked by our own reader, which bounds them. */
const PACKING: FastifyCompressOptions = {
  encodings: ['gzip'],
  threshold: PACKED_BYTES_MIN,
  globalDecompression: false,
}

const METHODS = ['DELETE', 'GET', 'PATCH', 'POST', 'PUT', 'OPTIONS'] as const

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. Each route states it. */
    readonly access?: Access
    /** The methods that a route has instead of this one. */
    readonly allow?: string
  }
  interface FastifyRequest {
    key: Key | undefined
    /** The route that answers; undefined: there is none. */
    served: string | undefined
    /** What its body may take up. */
    memory: BodyMemory
  }
  interface FastifyInstance {
    /** Every route there is, as `GET /v1/bills`, without those that refuse a method. */
    readonly registered: readonly string[]
    /** What /openapi.json says. */
    readonly description: OpenApi
  }
}

/** The HTTP server, ready to listen. */
export async function makeServer(context: HttpContext, patience = PATIENCE): Promise<FastifyInstance> {
  const requestId = makeRequestIds()
  const server = fastify({
    logger: false,
    genReqId: requestId,
    requestTimeout: patience.requestMs,
    connectionTimeout: patience.connectionMs,
    keepAliveTimeout: patience.connectionMs,
    http: {
      requestTimeout: patience.requestMs,
      // Node.js exchanges the two when this one is the longer.
      headersTimeout: Math.min(patience.requestMs, 20_000),
      connectionsCheckingInterval: Math.min(patience.requestMs, 5_000),
    },
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, requestId()),
    frameworkErrors: (error, request, reply) =>
      void sendProblem(reply.header(REQUEST_ID_HEADER, request.id), problemOf(error, request, context.log)),
  })
  // Parameters are read by our own readers, whose messages say what to send; answers are tested against schemas.
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(() => (value) => JSON.stringify(value))
  server.decorateRequest('key', undefined)
  server.decorateRequest('served', undefined)
  server.decorateRequest('memory')
  server.setErrorHandler((error, request, reply) =>
    sendProblem(reply, problemOf(error, request, context.log)),
  )
  server.setNotFoundHandler(refuseUnknown)
  const registered: string[] = []
  server.decorate('registered', registered)
  server.addHook('onRoute', ({ method, url, config, handler }) => {
    if (config?.access === undefined) throw new Error(`the route ${url} does not say who may use it`)
    // A handler of its own would ask nobody for a key.
    if (handler !== unreachable) throw new Error(`the route ${url} is not answered by serveRoute`)
    if (config.allow === undefined) registered.push(`${String(method)} ${url}`)
  })
  server.addHook('onRequest', begin)
  server.decorate('description', describeApi(ROUTES))
  await server.register(compress, PACKING)
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      // Behind the hook that packs answers, which was put there before.
      if (route.compress !== false) route.onSend = [route.onSend ?? [], tagPacked].flat()
    })
    for (const route of ROUTES) addRoute(scope, route, context, patience)
    for (const [url, allowed] of methodsByUrl()) addRefusals(scope, url, allowed)
  })
  return server
}

/** However a request ends, one listener sees it: what was answered is counted, and its memory is given back. */
function begin(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { raw } = reply.header(REQUEST_ID_HEADER, request.id)
  // Anyone who keeps an answer must know that others get it packed. What is sent is not kept.
  if (request.method !== 'POST') void reply.header('vary', 'accept-encoding')
  const begunAt = performance.now()
  request.memory = new BodyMemory()
  raw.on('close', () => {
    request.memory.giveBack()
    if (!raw.writableFinished) return
    const seconds = (performance.now() - begunAt) / 1000
    countRequest(request.method, request.served ?? 'none', raw.statusCode, seconds)
  })
  done()
}

function addRoute(server: FastifyInstance, route: Route, context: HttpContext, { answerMs }: Patience): void {
  const { method, url, access, answerProblem } = route
  server.route({
    method,
    url,
    config: { access },
    ...(answerProblem
      ? {
          errorHandler: (error, request, reply) =>
            void answerProblem(problemOf(error, request, context.log), request, reply),
        }
      : {}),
    onRequest: serveRoute(route, context, answerMs),
    handler: unreachable,
  })
}

/** Routes answer in a hook. */
function unreachable(): never {
  invariant(false, 'a request has got past the hook that answers it')
}

/** 405 for the other methods of a route: a wrong method is not a wrong address. */
function addRefusals(server: FastifyInstance, url: string, allowed: readonly string[]): void {
  const method = METHODS.filter((name) => !allowed.includes(name))
  const allow = allowed.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])).join(', ')
  server.route({
    method: [...method],
    url,
    config: { access: 'open', allow },
    compress: false,
    onRequest(request) {
      request.served = url
      refuseMethod(request, allow)
    },
    handler: unreachable,
  })
}

/** Before the body is read. */
function refuseMethod(request: FastifyRequest, allow: string): never {
  const detail = `${request.method} cannot be used here: use ${allow}.`
  throw new HttpProblem('request/method_not_allowed', detail, { allow })
}

function methodsByUrl(): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>()
  for (const { method, url } of ROUTES) methods.set(url, [...(methods.get(url) ?? []), method])
  return methods
}

function refuseUnknown(request: FastifyRequest): never {
  const path = request.url.split('?')[0]!
  throw new HttpProblem(
    'request/no_route',
    `There is nothing at ${shown(path)}: see /openapi.json for what there is.`,
  )
}
