import { HttpProblem } from '../api/problem.ts'

/** Exports of one key that run at once. */
export const EXPORTS_MAX = 2
/** Of all keys: each has some thousands of rows in memory. */
export const EXPORTS_OF_ALL_MAX = 8
const RETRY_AFTER_SECONDS = 10

/** Lets exports begin, which may run for minutes: so many of a key, and so many of all. The others are told to come back. */
export class ExportLimit {
  readonly #running = new Map<string, number>()
  #all = 0

  /**
   * @returns to be called once when the export has ended
   * @throws HttpProblem 429
   */
  begin(key: string): () => void {
    const running = this.#running.get(key) ?? 0
    if (running >= EXPORTS_MAX) throw tooMany(`of this key (${EXPORTS_MAX})`)
    if (this.#all >= EXPORTS_OF_ALL_MAX) throw tooMany(`of all keys (${EXPORTS_OF_ALL_MAX})`)
    this.#running.set(key, running + 1)
    this.#all++
    return () => this.#end(key)
  }

  #end(key: string): void {
    const running = this.#running.get(key)! - 1
    if (running === 0) this.#running.delete(key)
    else this.#running.set(key, running)
    this.#all--
  }
}

function tooMany(of: string): HttpProblem {
  const detail = `As many exports ${of} run as may run at once: wait until one has ended, then ask again.`
  return new HttpProblem('request/too_many_exports', detail, { 'retry-after': String(RETRY_AFTER_SECONDS) })
}
