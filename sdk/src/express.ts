import type { Request, RequestHandler } from 'express'
import type { Meter } from './meter.ts'
import { routeOf, watchRoute } from './express-route.ts'
import { whenAnswered } from './answer.ts'
import { countRequests, type RequestMetering, type UnmeteredCounts } from './request-metering.ts'

export type { RequestMetering, Unmetered, UnmeteredCounts } from './request-metering.ts'

export type MeteringHandler = RequestHandler & {
  /** Requests that were not metered, since the start. */
  readonly unmetered: () => UnmeteredCounts
}

/**
 * A middleware that meters each answered request that passes it: use it first. The operation is `GET /v1/photos/:id`
 * unless told. sdk/README.md says which status is counted when.
 */
export function meterRequests(
  meter: Pick<Meter, 'request'>,
  options: RequestMetering<Request>,
): MeteringHandler {
  const { answered, unmetered } = countRequests(meter, options)
  const handler: RequestHandler = (request, response, next) => {
    watchRoute(request)
    whenAnswered(request, response, (status) => answered(request, routeOf, status))
    next()
  }
  return Object.assign(handler, { unmetered })
}
