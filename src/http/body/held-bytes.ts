import { HttpProblem } from '../api/problem.ts'
import { HELD_BYTES_MAX, KEY_HELD_BYTES_MAX, LARGE_BODY_BYTES, SMALL_BODIES_BYTES_MIN } from './limits.ts'

/** Bytes of bodies that this process holds: of all, of the large ones, and by the key that sent them. */
const held = { all: 0, large: 0 }
const byKey = new Map<string, number>()

export interface Memory {
  /** @throws HttpProblem when there is no more */
  take(bytes: number): void
  /** What it counts is in use until this work has ended, also when the connection has gone before. */
  during<Result>(work: Promise<Result>): Promise<Result>
}

/**
 * The memory of one request's body: counted as its bytes arrive, until its connection is done with the answer. No key can
 * take more than its share, so that none stops the others; and large bodies leave some for small ones.
 */
export class BodyMemory implements Memory {
  #own = 0
  #key = ''
  #isOver = false
  #works = 0

  /** Whose share it is. Asked for before the first byte. */
  ofKey(id: string | undefined): this {
    this.#key = id ?? ''
    return this
  }

  /** 429 beyond what the bodies of the key, or of all requests, may have together. */
  take(bytes: number): void {
    const own = this.#own + bytes
    const ofKey = (byKey.get(this.#key) ?? 0) + bytes
    if (ofKey > KEY_HELD_BYTES_MAX) throw keyOverloaded()
    const large = held.large + largePart(own) - largePart(this.#own)
    if (held.all + bytes > HELD_BYTES_MAX || large > HELD_BYTES_MAX - SMALL_BODIES_BYTES_MIN)
      throw overloaded()
    // After the connection has gone nobody would give it back.
    if (this.#isOver) return
    held.all += bytes
    held.large = large
    byKey.set(this.#key, ofKey)
    this.#own = own
  }

  during<Result>(work: Promise<Result>): Promise<Result> {
    this.#works++
    const end = () => {
      this.#works--
      if (this.#isOver) this.giveBack()
    }
    work.then(end, end)
    return work
  }

  giveBack(): void {
    this.#isOver = true
    if (this.#own === 0 || this.#works > 0) return
    held.all -= this.#own
    held.large -= largePart(this.#own)
    const ofKey = byKey.get(this.#key)! - this.#own
    if (ofKey > 0) byKey.set(this.#key, ofKey)
    else byKey.delete(this.#key)
    this.#own = 0
  }
}

/** What it counts as a large body: all of it, once it is one. */
function largePart(bytes: number): number {
  return bytes > LARGE_BODY_BYTES ? bytes : 0
}

function overloaded(): HttpProblem {
  const detail = 'Too many large bodies of all keys are arriving at once: send it again a little later.'
  return new HttpProblem('ingest/overloaded', detail, { 'retry-after': '1' })
}

function keyOverloaded(): HttpProblem {
  const detail = `The bodies of this key that are arriving or being stored have more than ${KEY_HELD_BYTES_MAX} bytes: send fewer at once, and this one again when others are answered.`
  return new HttpProblem('request/too_many_bodies', detail, { 'retry-after': '1' })
}

/** Does it matter how fast bodies arrive? */
export function isScarce(): boolean {
  return held.all > HELD_BYTES_MAX / 2
}

/** For metrics and tests. */
export function bytesHeld(): number {
  return held.all
}
