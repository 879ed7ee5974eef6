import type { FastifyRequest } from 'fastify'
import { HttpProblem } from './api/problem.ts'
import type { Memory } from './body/held-bytes.ts'
import { readBody } from './body/read-body.ts'

/** The bodies of all routes but events: a key's description. */
export const SMALL_BODY_BYTES_MAX = 65_536

type Done = (problem: Error | null, body?: Buffer) => void

/**
 * Fastify's content-type parser, one for all types: a body is bytes until its route has read it. It runs after the hooks
 * that look at the key, so a stranger's body is never read. GET and HEAD do not get here. A problem ends the connection,
 * on which the rest of the body may still be coming.
 */
export function takeBody(request: FastifyRequest, raw: FastifyRequest['raw'], done: Done): void {
  const { headers, method } = request
  const isEmpty = (headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined
  if (isEmpty) {
    done(null)
  } else if (!headers['content-type']) {
    const detail = 'The header Content-Type is missing or not one of this route.'
    done(new HttpProblem('request/unsupported_media_type', detail))
  } else {
    const memory = method === 'DELETE' ? NO_MEMORY : request.memory.ofKey(request.key?.id)
    readBody({ raw, bytesMax: request.routeOptions.bodyLimit, memory }, done)
  }
}

/** For a method whose bodies say nothing. They may be empty, and no more. */
const NO_MEMORY: Memory = {
  take(bytes) {
    if (bytes === 0) return
    throw new HttpProblem(
      'request/invalid_body',
      'The request has a body, and this address takes none: send it without one.',
    )
  },
  during: (work) => work,
}
