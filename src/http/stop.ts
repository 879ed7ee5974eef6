import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** So long a request that has begun may still take to arrive when the process stops. */
export const UPLOAD_PATIENCE_MS = 1_000

/**
 * Lets a server stop when it has answered, and no later: only a request that has arrived whole is waited for. Connections
 * without a request, or with half of its headers, end at once; those with half of a body after a second. Their clients send
 * the request again, to the next process.
 */
export function stopsWhenAnswered(server: FastifyInstance): void {
  const connections = new Set<Socket>()
  const answering = new Set<ServerResponse>()
  let isStopping = false
  server.server.on('connection', (socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    if (isStopping) socket.destroy()
  })
  server.server.on('request', ({ socket }, response) => {
    answering.add(response)
    response.on('close', () => {
      answering.delete(response)
      if (isStopping && !isAnswered(socket, answering)) socket.destroySoon()
    })
  })
  server.addHook('preClose', (done) => {
    isStopping = true
    for (const socket of connections) if (!isAnswered(socket, answering)) socket.destroy()
    setTimeout(() => {
      for (const { req } of answering) if (!req.complete) req.socket.destroy()
    }, UPLOAD_PATIENCE_MS).unref()
    done()
  })
}

/** Is a request of the connection being answered? */
function isAnswered(socket: Socket, answering: ReadonlySet<ServerResponse>): boolean {
  for (const { req } of answering) if (req.socket === socket) return true
  return false
}
