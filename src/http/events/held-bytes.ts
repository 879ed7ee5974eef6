import type { ServerResponse } from 'node:http'
import { HttpProblem } from '../problem.ts'
import { HELD_BYTES_MAX } from './limits.ts'

/** Bytes of bodies that this process holds. */
let heldBytes = 0

/** Takes memory for one request. */
export type Hold = (bytes: number) => void

/** Memory for a request's body: counted until its connection is done with the answer. Throws 429 beyond the limit. */
export function holdFor(response: ServerResponse): Hold {
  let own = 0
  response.once('close', () => {
    heldBytes -= own
    own = 0
  })
  return (bytes) => {
    if (heldBytes + bytes > HELD_BYTES_MAX) {
      const detail = 'Too many large bodies are arriving at once: send it again a little later.'
      throw new HttpProblem('ingest/overloaded', detail, { 'retry-after': '1' })
    }
    // After the connection has gone nobody would give it back.
    if (response.closed) return
    heldBytes += bytes
    own += bytes
  }
}

/** For metrics and tests. */
export function bytesHeld(): number {
  return heldBytes
}
