import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import type { Meter } from './meter.ts'
import { whenAnswered } from './answer.ts'
import { countRequests, type RequestMetering, type UnmeteredCounts } from './request-metering.ts'

export type { RequestMetering, Unmetered, UnmeteredCounts } from './request-metering.ts'

export type MeteringPlugin = FastifyPluginCallback & {
  /** Requests that were not metered, since the start. */
  readonly unmetered: () => UnmeteredCounts
}

/**
 * A plugin that meters each answered request of the instance on which it is registered, and of those below it. The
 * operation is `GET /v1/photos/:id` unless told. sdk/README.md says which status is counted when.
 */
export function meterRequests(
  meter: Pick<Meter, 'request'>,
  options: RequestMetering<FastifyRequest>,
): MeteringPlugin {
  const { answered, unmetered } = countRequests(meter, options)
  const plugin: FastifyPluginCallback = (instance, _options, done) => {
    instance.addHook('onRequest', (request, reply, next) => {
      whenAnswered(request.raw, reply.raw, (status) => answered(request, routeOf, status))
      next()
    })
    done()
  }
  // So that its hook is one of the instance that registers it, and not only of what is inside the plugin.
  return Object.assign(plugin, { unmetered, [Symbol.for('skip-override')]: true })
}

function routerPathOf(request: object): string | undefined {
  return (request as { readonly routerPath?: string }).routerPath
}

function routeOf(request: FastifyRequest): string | undefined {
  // Fastify before 4.10 has it under another name.
  const url =
    (request.routeOptions as FastifyRequest['routeOptions'] | undefined)?.url ?? routerPathOf(request)
  return request.is404 || url === undefined ? undefined : `${request.method} ${url}`
}
