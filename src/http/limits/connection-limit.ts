import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import { HttpProblem } from '../api/problem.ts'
import { addressGroup } from './address-group.ts'
import type { Gates } from './gates.ts'

/** A connection too many is told so when it asks for something, and closed after this long if it does not. */
export const REFUSED_CONNECTION_MS = 5_000
const RETRY_AFTER_SECONDS = 1

/**
 * So many connections of an address at once. Those beyond are answered 429 and closed; beyond twice as many they are closed
 * without a word. Proxies that are trusted may have any number: they stand for many.
 */
export function limitConnections(server: FastifyInstance, { connectionsMax, isTrusted }: Gates): void {
  const open = new Map<string, number>()
  const refused = new WeakSet<Socket>()
  server.server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress
    if (address === undefined || isTrusted(address)) return
    const group = addressGroup(address)
    const count = (open.get(group) ?? 0) + 1
    open.set(group, count)
    socket.once('close', () => {
      const left = open.get(group)! - 1
      if (left === 0) open.delete(group)
      else open.set(group, left)
    })
    if (count > 2 * connectionsMax) socket.destroy()
    else if (count > connectionsMax) {
      refused.add(socket)
      const timer = setTimeout(() => socket.destroy(), REFUSED_CONNECTION_MS)
      socket.once('close', () => clearTimeout(timer))
    }
  })
  server.addHook(
    'onRequest',
    (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
      if (!refused.has(request.socket)) return done()
      void reply.header('connection', 'close')
      done(tooManyConnections(connectionsMax))
    },
  )
}

function tooManyConnections(max: number): HttpProblem {
  const detail = `This address has more than ${max} connections open: close some, and use those that are open again.`
  return new HttpProblem('request/too_many_connections', detail, {
    'retry-after': String(RETRY_AFTER_SECONDS),
  })
}
