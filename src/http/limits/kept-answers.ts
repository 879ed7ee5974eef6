/** Answers of several pages that are kept, so that all their pages are of one moment. */
export const KEPT_ANSWERS_MAX = 50
/** Rows of all of them: some tens of megabytes. */
export const KEPT_ROWS_MAX = 200_000
/** A client that reads pages asks for the next one sooner. */
export const KEPT_ANSWER_MS = 5 * 60_000

interface Kept<Answer> {
  readonly answer: Answer
  readonly rows: number
  readonly until: number
}

/** The last answers that did not fit in a page, by what was asked. The oldest goes first; none is needed for a right answer. */
export class KeptAnswers<Answer> {
  readonly #kept = new Map<string, Kept<Answer>>()
  readonly #now: () => number
  #rows = 0

  /** @param now milliseconds of any monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  find(asked: string): Answer | undefined {
    const kept = this.#kept.get(asked)
    return kept === undefined || kept.until < this.#now() ? undefined : kept.answer
  }

  keep(asked: string, answer: Answer, rows: number): void {
    this.#drop(asked)
    if (rows > KEPT_ROWS_MAX) return
    this.#kept.set(asked, { answer, rows, until: this.#now() + KEPT_ANSWER_MS })
    this.#rows += rows
    for (const [oldest, { until }] of this.#kept) {
      const isFull = this.#kept.size > KEPT_ANSWERS_MAX || this.#rows > KEPT_ROWS_MAX
      if (!isFull && until >= this.#now()) return
      this.#drop(oldest)
    }
  }

  #drop(asked: string): void {
    this.#rows -= this.#kept.get(asked)?.rows ?? 0
    this.#kept.delete(asked)
  }
}
