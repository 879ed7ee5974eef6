import { createServer, connect } from 'node:net'
import { MeterError } from '../meter-error.ts'
import { countOf } from '../count-of.ts'

/** What the name of a Unix socket may have, with a byte to spare on every system. */
export const SOCKET_PATH_BYTES_MAX = 102

/**
 * A sign that this process lives, which ends with it, however it ends: a socket that listens. Numbers of processes are
 * given again, and mean nothing in another container; this cannot be mistaken.
 * @returns what ends it
 * @throws MeterError sdk/spool_unusable
 */
export function beat(path: string): () => Promise<void> {
  const length = Buffer.byteLength(path)
  if (length > SOCKET_PATH_BYTES_MAX) {
    const most = countOf(SOCKET_PATH_BYTES_MAX - (length - Buffer.byteLength(folderOf(path))), 'byte')
    throw new MeterError(
      'sdk/spool_unusable',
      `The path of the spool's folder is longer than ${most}: use a shorter one.`,
    )
  }
  const server = createServer((socket) => socket.destroy())
  let failure: Error | undefined
  server.on('error', (error) => (failure = error))
  // Exclusive: in a worker of node:cluster the socket would otherwise be that of the primary, and outlive the worker.
  server.listen({ path, exclusive: true })
  if (!server.listening) {
    const why = failure ? `: ${String(failure)}` : ''
    const detail = `No socket can be made in ${folderOf(path)}${why}. Use a folder on a local disk that can be written.`
    throw new MeterError('sdk/spool_unusable', detail)
  }
  server.unref()
  return () => new Promise((resolve) => server.close(() => resolve()))
}

/** Does the process that shows life here still run? One that is stopped or busy does. */
export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (alive: boolean) => {
      socket.destroy()
      resolve(alive)
    }
    socket.once('connect', () => end(true))
    // Only these two say that nobody listens: anything else leaves its files alone.
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      end(code !== 'ENOENT' && code !== 'ECONNREFUSED'),
    )
  })
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
