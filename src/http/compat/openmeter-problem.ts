import type { FastifyRequest } from 'fastify'
import { HTTP_PROBLEMS, type HttpProblem, PROBLEM_TYPE, problemBody } from '../api/problem.ts'
import type { Reply } from '../route.ts'

/** A problem as OpenMeter's clients read it. */
export function answerOpenmeterProblem(problem: HttpProblem, _: FastifyRequest, reply: Reply): Reply {
  const { status, title } = HTTP_PROBLEMS[problem.code]
  const body = problemBody(status, title, problem.code, problem.message)
  return sendProblemBytes(reply.code(status).headers(problem.headers), body)
}

/** As bytes, since the client wants this very content type, and Fastify adds a charset to texts. */
export function sendProblemBytes(reply: Reply, problem: object): Reply {
  return reply.header('content-type', PROBLEM_TYPE).send(Buffer.from(JSON.stringify(problem)))
}
