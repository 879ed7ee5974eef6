import { HttpProblem } from '../api/problem.ts'
import { HELD_BYTES_MAX } from './limits.ts'

/** Bytes of bodies that this process holds. */
let heldBytes = 0

export interface Memory {
  /** @throws HttpProblem when there is no more */
  take(bytes: number): void
}

/** The memory of one request's body: counted until its connection is done with the answer. */
export class BodyMemory implements Memory {
  #own = 0
  #isOver = false

  /** 429 beyond what the bodies of all requests may have together. */
  take(bytes: number): void {
    if (heldBytes + bytes > HELD_BYTES_MAX) {
      const detail = 'Too many large bodies are arriving at once: send it again a little later.'
      throw new HttpProblem('ingest/overloaded', detail, { 'retry-after': '1' })
    }
    // After the connection has gone nobody would give it back.
    if (this.#isOver) return
    heldBytes += bytes
    this.#own += bytes
  }

  giveBack(): void {
    heldBytes -= this.#own
    this.#own = 0
    this.#isOver = true
  }
}

/** For metrics and tests. */
export function bytesHeld(): number {
  return heldBytes
}
