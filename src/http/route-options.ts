import type { RouteOptions } from 'fastify'
import { withDeadline } from './deadline.ts'
import { problemOf } from './errors.ts'
import { onlyOnce } from './idempotency.ts'
import { asQuestion } from './limits/ask-question.ts'
import { type HttpContext, NO_PARAMETERS, type Route } from './route.ts'
import { SMALL_BODY_BYTES_MAX } from './take-body.ts'

const NO_BODY = Buffer.alloc(0)

/** A route as Fastify takes it. */
export function routeOptions(route: Route, context: HttpContext, answerMs: number): RouteOptions {
  const { method, url, access, query, params, bodyBytesMax, answerProblem } = route
  const once: Route['handle'] =
    route.idempotent && !route.findsRepeats ? onlyOnce(route) : (call, with_) => route.handle(call, with_)
  const answer = asQuestion(route, once)
  return {
    method,
    url,
    config: { access, tagged: route.tagged === true },
    schema: { querystring: query ?? NO_PARAMETERS, params: params ?? NO_PARAMETERS },
    bodyLimit: bodyBytesMax ?? SMALL_BODY_BYTES_MAX,
    ...(route.answersAreSmall ? { compress: false } : {}),
    ...(answerProblem
      ? {
          errorHandler: (error, request, reply) =>
            void answerProblem(problemOf(error, request, context.log), request, reply),
        }
      : {}),
    handler(request, reply) {
      const { query, params, key } = request
      const body = (request.body as Buffer | undefined) ?? NO_BODY
      return withDeadline(answerMs, answer({ query, params, body, key, request, reply }, context))
    },
  }
}
