import type { FastifyRequest } from 'fastify'
import { bodyOf, HTTP_PROBLEMS, type HttpProblem, PROBLEM_TYPE } from '../api/problem.ts'
import type { Reply } from '../route.ts'

/** A problem as OpenMeter's clients read it. */
export function answerOpenmeterProblem(problem: HttpProblem, request: FastifyRequest, reply: Reply): Reply {
  const { status } = HTTP_PROBLEMS[problem.code]
  return sendProblemBytes(reply.code(status).headers(problem.headers), bodyOf(problem, request.id))
}

/** As bytes, since the client wants this very content type, and Fastify adds a charset to texts. */
export function sendProblemBytes(reply: Reply, problem: object): Reply {
  return reply.header('content-type', PROBLEM_TYPE).send(Buffer.from(JSON.stringify(problem)))
}
