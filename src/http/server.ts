import swagger from '@fastify/swagger'
import { randomBytes } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Key } from '../flows/keys/key-scopes.ts'
import { authorize } from './access.ts'
import { withDeadline } from './deadline.ts'
import { answerClientError, problemOf, sendProblem } from './errors.ts'
import { addBodies } from './events/read-body.ts'
import { countRequest } from './metrics.ts'
import { describeRoute, OPENAPI } from './openapi.ts'
import { parameterReader } from './parameters.ts'
import { HttpProblem, shown } from './problem.ts'
import { type Access, type HttpContext, NO_PARAMETERS, type Route } from './route.ts'
import { ROUTES } from './routes.ts'

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
/** The bodies of all routes but events: a key's description. */
const SMALL_BODY_BYTES_MAX = 65_536

const NO_BODY = Buffer.alloc(0)

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
    /** Its `routeOptions`, which are made anew whenever they are asked for. */
    matched: FastifyRequest['routeOptions'] | undefined
  }
  interface FastifyInstance {
    /** Every route there is, as `GET /v1/bills`, without those that refuse a method. */
    readonly registered: readonly string[]
  }
}

/** The HTTP server, ready to listen. */
export async function makeServer(context: HttpContext, patience = PATIENCE): Promise<FastifyInstance> {
  const server = fastify({
    logger: false,
    genReqId: requestNames(),
    bodyLimit: SMALL_BODY_BYTES_MAX,
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
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) =>
      void sendProblem(reply, problemOf(error, request, context.log)),
  })
  // Parameters are read by our own readers, whose messages say what to send; answers are tested against schemas.
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(() => (value) => JSON.stringify(value))
  server.decorateRequest('key', undefined)
  server.decorateRequest('matched')
  server.setErrorHandler((error, request, reply) =>
    sendProblem(reply, problemOf(error, request, context.log)),
  )
  server.setNotFoundHandler(refuseUnknown)
  const registered: string[] = []
  server.decorate('registered', registered)
  server.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined) throw new Error(`the route ${url} does not say who may use it`)
    if (config.allow === undefined) registered.push(`${String(method)} ${url}`)
  })
  addAuthorization(server, context)
  server.addHook('onResponse', (request, reply, done) => {
    const url = request.matched?.url ?? 'none'
    countRequest(request.method, url, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
  await server.register(swagger, OPENAPI)
  await server.register(async (scope) => {
    addBodies(scope)
    for (const route of ROUTES) addRoute(scope, route, context, patience)
    for (const [url, allowed] of methodsByUrl()) addRefusals(scope, url, allowed)
  })
  return server
}

/** Not by an async function: a promise for each request would cost more than what is done here. */
function addAuthorization(server: FastifyInstance, { keys }: HttpContext): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const matched = (request.matched = request.routeOptions)
    const { access, allow } = matched.config
    if (allow !== undefined) refuseMethod(request, allow)
    const key = access && authorize(request, access, keys)
    if (!(key instanceof Promise)) {
      request.key = key
      done()
      return
    }
    key.then((asked) => {
      request.key = asked
      done()
    }, done)
  })
}

/** Names for requests in the log, of 12 hexadecimal digits: a random part of the server's own, and a number. */
function requestNames(): () => string {
  const own = randomBytes(2).toString('hex')
  let number = 0
  return () => own + (number++ % 0x1_0000_0000).toString(16).padStart(8, '0')
}

function addRoute(server: FastifyInstance, route: Route, context: HttpContext, { answerMs }: Patience): void {
  const { method, url, access, bodyBytesMax, answerProblem } = route
  const readQuery = parameterReader(route.query ?? NO_PARAMETERS)
  const readParams = parameterReader(route.params ?? NO_PARAMETERS)
  server.route({
    method,
    url,
    config: { access },
    ...(bodyBytesMax === undefined ? {} : { bodyLimit: bodyBytesMax }),
    ...(answerProblem
      ? {
          errorHandler: (error, request, reply) =>
            void answerProblem(problemOf(error, request, context.log), request, reply),
        }
      : {}),
    schema: describeRoute(route),
    handler: (request, reply) => {
      const query = readQuery(request.query as Record<string, unknown>)
      const params = readParams(request.params as Record<string, unknown>)
      const body = (request.body as Buffer | undefined) ?? NO_BODY
      const call = { query, params, body, key: request.key, request, reply }
      return withDeadline(answerMs, route.handle(call, context))
    },
  })
}

/** 405 for the other methods of a route: a wrong method is not a wrong address. */
function addRefusals(server: FastifyInstance, url: string, allowed: readonly string[]): void {
  const method = METHODS.filter((name) => !allowed.includes(name))
  const allow = allowed.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])).join(', ')
  server.route({
    method: [...method],
    url,
    config: { access: 'open', allow },
    schema: { hide: true },
    handler: (request) => refuseMethod(request, allow),
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
