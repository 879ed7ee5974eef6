/** Node's own request and answer, below every framework: as far as they are looked at. */
export interface NodeRequest {
  readonly httpVersionMajor: number
  readonly socket: NodeSocket
}

export interface NodeAnswer {
  readonly statusCode: number
  on(event: 'finish' | 'close', listener: () => void): unknown
}

interface NodeSocket {
  readonly readableEnded?: boolean
  readonly errored?: Error | null
  on?(event: 'close', listener: () => void): unknown
}

/** The stream of HTTP/2, in which an answer's `finish` says nothing. */
interface Http2Stream {
  readonly writableFinished: boolean
  readonly rstCode: number
}

/** What a client that has gone is counted as. Nobody was sent it. */
export const CLIENT_GONE_STATUS = 499
/** Counted when the server has cut a connection on which no status had left. */
const NO_STATUS = 500
/** HTTP/2's code of a stream that the server ended because of an error. */
const INTERNAL_ERROR = 2

/**
 * Calls `onEnd` once, when an answer has been handed to the system to its last byte, or can never be: with the status
 * that left; 499 when the client had gone before; and when the server itself has cut it, the status that had left by
 * then, or 500. What is done to `statusCode` after the headers have left changes nothing.
 */
export function whenAnswered(
  incoming: NodeRequest,
  outgoing: NodeAnswer,
  onEnd: (status: number) => void,
): void {
  // It is looked at after it has ended, when the answer may have let it go.
  const { stream } = outgoing as { readonly stream?: Http2Stream }
  const { socket } = incoming
  const sent = statusThatLeft(outgoing)
  let isOver = false
  let forget: (() => unknown) | undefined
  const end = (status: number) => {
    if (isOver) return
    isOver = true
    forget?.()
    onEnd(status)
  }
  const gone = () => {
    const isOurs = incoming.httpVersionMajor >= 2 ? stream?.rstCode === INTERNAL_ERROR : isCutHere(socket)
    end(isOurs ? (sent() ?? NO_STATUS) : CLIENT_GONE_STATUS)
  }
  outgoing.on('finish', () => {
    if (stream && !(stream.writableFinished && stream.rstCode === 0)) gone()
    else end(sent() ?? outgoing.statusCode)
  })
  outgoing.on('close', gone)
  // An answer that waits behind another one on its connection is not told when that connection closes.
  if (incoming.httpVersionMajor < 2) forget = whenClosed(socket, gone)
}

/** Every way to send headers in Node passes `writeHead`: what was the status at that moment? */
function statusThatLeft(outgoing: NodeAnswer): () => number | undefined {
  const answer = outgoing as { statusCode: number; writeHead?: (...args: unknown[]) => unknown }
  const { writeHead } = answer
  let status: number | undefined
  if (writeHead) {
    answer.writeHead = function (this: typeof answer, ...args) {
      // It throws when they have left already, or cannot leave.
      const result = writeHead.apply(this, args)
      status ??= answer.statusCode
      return result
    }
  }
  return () => status
}

/** A connection that neither the other side has ended nor the network has broken was closed by this process. */
function isCutHere({ readableEnded, errored }: NodeSocket): boolean {
  const code = (errored as { readonly code?: unknown } | null | undefined)?.code
  return (
    readableEnded !== true &&
    !/^(?:ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETDOWN|ENETUNREACH|ENOTCONN|HPE_\w+)$/.test(String(code))
  )
}

const watched = new WeakMap<NodeSocket, Set<() => void>>()

/** One listener for each connection, however many requests it carries. @returns what undoes it */
function whenClosed(socket: NodeSocket, work: () => void): () => void {
  let works = watched.get(socket)
  if (!works) {
    const all = (works = new Set<() => void>())
    watched.set(socket, all)
    socket.on?.('close', () => {
      for (const one of all) one()
    })
  }
  const mine = works
  mine.add(work)
  return () => mine.delete(work)
}
