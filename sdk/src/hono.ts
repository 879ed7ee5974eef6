import type { Context, MiddlewareHandler } from 'hono'
import type { Meter } from './meter.ts'
import { CLIENT_GONE_STATUS, type NodeAnswer, type NodeRequest, whenAnswered } from './answer.ts'
import { countRequests, type RequestMetering, type UnmeteredCounts } from './request-metering.ts'

export type { RequestMetering, Unmetered, UnmeteredCounts } from './request-metering.ts'

export type MeteringMiddleware = MiddlewareHandler & {
  /** Requests that were not metered, since the start. */
  readonly unmetered: () => UnmeteredCounts
}

/**
 * A middleware that meters each answered request that passes it: use it first. The operation is `GET /v1/photos/:id`
 * unless told. sdk/README.md says which status is counted when. On Node (`@hono/node-server`) that is seen at the
 * connection, elsewhere at the body of the answer.
 */
export function meterRequests(
  meter: Pick<Meter, 'request'>,
  options: RequestMetering<Context>,
): MeteringMiddleware {
  const { answered, unmetered } = countRequests(meter, options)
  const middleware: MiddlewareHandler = async (c, next) => {
    const onEnd = (status: number) => answered(c, routeOf, status)
    const { incoming, outgoing } = (c.env ?? {}) as Partial<NodeBindings>
    if (incoming && outgoing) {
      whenAnswered(incoming, outgoing, onEnd)
      return next()
    }
    try {
      await next()
    } catch (error) {
      // Only what nobody handles comes here: the server answers it.
      onEnd(500)
      throw error
    }
    watchBody(c, onEnd)
  }
  return Object.assign(middleware, { unmetered })
}

interface NodeBindings {
  readonly incoming: NodeRequest
  readonly outgoing: NodeAnswer
}

interface MatchedRoute {
  readonly path: string
  readonly method: string
  readonly handler: Handler
}

/** Where Hono keeps a handler of an application inside another one, when it wraps it. */
const WRAPPED = '__COMPOSED_HANDLER'
type Handler = ((...args: never[]) => unknown) & { readonly [WRAPPED]?: Handler }

/**
 * The route that was reached, or the one behind the middleware that has answered in its place: a call that was refused
 * for its key is one of that operation.
 */
function routeOf(c: Context): string | undefined {
  const { method, routeIndex, matchedRoutes } = c.req
  const reached = (matchedRoutes as readonly MatchedRoute[]).slice(routeIndex).find(isRoute)
  // `all` takes any word for a method where the server does, and each would be an operation.
  return reached && `${reached.method === 'ALL' && !METHODS.has(method) ? 'ALL' : method} ${reached.path}`
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'])

/** `use` and `all` both say ALL. A middleware asks for what comes next; a handler does not. */
function isRoute({ method, handler }: MatchedRoute): boolean {
  let inner = handler
  while (inner[WRAPPED]) inner = inner[WRAPPED]
  return method !== 'ALL' || inner.length < 2
}

/** For servers that show no connection: the answer is complete when its body has been read to the end. */
function watchBody(c: Context, onEnd: (status: number) => void): void {
  const { res } = c
  const { body, status } = res
  if (body === null || c.req.method === 'HEAD') return onEnd(status)
  const reader = body.getReader()
  let isOver = false
  const end = (as: number) => {
    if (!isOver) onEnd(as)
    isOver = true
  }
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        controller.close()
      } catch (error) {
        controller.error(error)
      }
      end(status)
    },
    cancel(reason) {
      end(CLIENT_GONE_STATUS)
      return reader.cancel(reason)
    },
  })
  // Hono would add the old headers to the new ones.
  c.res = undefined
  c.res = new Response(watched, res)
}
