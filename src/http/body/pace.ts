import { HttpProblem } from '../api/problem.ts'
import { isScarce } from './held-bytes.ts'
import { LINES_IDLE_MS_MAX, PACE_BYTES_MIN, PACE_MS } from './limits.ts'

const LOOK_EVERY_MS = 1_000
const LOOKS = PACE_MS / LOOK_EVERY_MS

/** Bodies of which a part has arrived. */
const arriving = new Set<Pace>()
let timer: NodeJS.Timeout | undefined

/**
 * How fast a body arrives. It has to keep a least pace only while memory for bodies is scarce: what it holds, others wait
 * for. A stream of lines may pause instead, as its events do.
 */
export class Pace {
  readonly #isLines: boolean
  readonly #tooSlow: (problem: HttpProblem) => void
  /** Since the last look, and between the looks before. */
  #bytes = 0
  readonly #before: number[] = []
  #arrivedAt = performance.now()

  /** @param tooSlow told at most once, and not after `end` */
  constructor(isLines: boolean, tooSlow: (problem: HttpProblem) => void) {
    this.#isLines = isLines
    this.#tooSlow = tooSlow
    arriving.add(this)
    timer ??= setInterval(lookAtAll, LOOK_EVERY_MS).unref()
  }

  arrived(bytes: number): void {
    this.#bytes += bytes
    if (this.#isLines) this.#arrivedAt = performance.now()
  }

  end(): void {
    arriving.delete(this)
    if (arriving.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  look(now: number): void {
    const isSlow = this.#isLines ? now - this.#arrivedAt >= LINES_IDLE_MS_MAX : this.#isBelowPace()
    if (!isSlow || !isScarce()) return
    this.end()
    this.#tooSlow(this.#isLines ? paused() : tooSlow())
  }

  #isBelowPace(): boolean {
    this.#before.push(this.#bytes)
    this.#bytes = 0
    if (this.#before.length < LOOKS) return false
    const arrived = this.#before.reduce((sum, bytes) => sum + bytes, 0)
    this.#before.shift()
    return arrived < (PACE_BYTES_MIN * PACE_MS) / 1000
  }
}

function lookAtAll(): void {
  const now = performance.now()
  for (const pace of arriving) pace.look(now)
}

function tooSlow(): HttpProblem {
  const detail = `The body has arrived at less than ${PACE_BYTES_MIN} bytes a second for ${PACE_MS / 1000} s, while memory for bodies is scarce: send it again, faster or in smaller parts.`
  return new HttpProblem('request/too_slow', detail)
}

function paused(): HttpProblem {
  const detail = `No line has arrived for ${LINES_IDLE_MS_MAX / 1000} s, while memory for bodies is scarce: send the lines again, in a request that ends.`
  return new HttpProblem('request/too_slow', detail)
}
