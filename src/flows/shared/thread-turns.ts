/** Long work goes on for so long before others have a turn at the one thread … */
const TURN_MS = 0.5
/** … or for this share of what it has waited for, so that a flood of others slows it down and never stops it. */
const SHARE = 1 / 3

/**
 * One kind of long work, such as settlement, in pieces. Those of a kind follow each
 * other, one in each round of the event loop: small requests have their turn between them, and so has each other kind.
 */
export class ThreadTurns {
  #last: Promise<void> = Promise.resolve()
  #began = 0
  #ended = 0
  #lengthMs = TURN_MS

  /** Wait for a turn. */
  next(): Promise<void> {
    const asked = performance.now()
    this.#ended = asked
    this.#last = this.#last.then(
      () => new Promise((resolve) => setImmediate(() => resolve(this.#begin(asked)))),
    )
    return this.#last
  }

  #begin(asked: number): void {
    this.#began = performance.now()
    this.#lengthMs = Math.max(TURN_MS, SHARE * (this.#began - Math.max(asked, this.#ended)))
  }

  /** For work in many small steps: its turn goes on (undefined), or this is what it waits for before its next step. */
  isOver(): Promise<void> | undefined {
    return performance.now() - this.#began < this.#lengthMs ? undefined : this.next()
  }
}

/** Questions about many events. */
export const questionTurns = new ThreadTurns()
/** Hours that are settled beside what comes in, or proved. */
export const settlingTurns = new ThreadTurns()
