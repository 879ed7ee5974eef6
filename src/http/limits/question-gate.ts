import { HttpProblem } from '../api/problem.ts'

/** Questions of one key that wait for their turn, and as many dry runs: more than any page of a console asks at once. */
export const QUESTIONS_WAITING_MAX = 20
/** They wait no longer than this. */
export const QUESTION_WAIT_MS = 10_000
const RETRY_AFTER_SECONDS = 2

/** Pages of all exports of one key that are read at once: other questions of the key go beside them. */
export const EXPORT_PAGES_MAX = 1

/** A dry run reads as a question does, and so does a page of an export: each has a limit of its own. */
export type QuestionKind = 'question' | 'dryRun' | 'export'

export interface QuestionLimits {
  /** Of all keys at once: as many as there are sessions. */
  readonly atOnceMax: number
  /** Of one key that is bound to an account. */
  readonly boundMax: number
  /** Of one that is not. */
  readonly unboundMax: number
  /** Dry runs of one key. */
  readonly dryRunsMax: number
}

export interface Asker {
  readonly key: { readonly id: string; readonly account: string | undefined }
  readonly kind: QuestionKind
  /** Nobody waits for the answer any more. */
  readonly gone: AbortSignal
}

interface Waiting {
  start(): void
}

/** The questions of one kind of one key. */
interface Line {
  readonly max: number
  running: number
  readonly waiting: Set<Waiting>
}

/**
 * Lets questions begin: so many of a key at once, and so many of all. The others wait, and keys take turns, so a key with
 * many questions delays its own.
 */
export class QuestionGate {
  readonly #limits: QuestionLimits
  /** In the order of their turns. */
  readonly #lines = new Map<string, Line>()
  #running = 0

  constructor(limits: QuestionLimits) {
    this.#limits = limits
  }

  /**
   * Wait for the turn of a question.
   * @returns to be called when it has ended
   * @throws HttpProblem 429 when too many wait, or it has waited for too long; the signal's reason when nobody waits for it
   */
  async enter({ key, kind, gone }: Asker): Promise<() => void> {
    gone.throwIfAborted()
    const name = `${kind} ${key.id}`
    const line = this.#lines.get(name) ?? { max: this.#maxOf(key, kind), running: 0, waiting: new Set() }
    this.#lines.set(name, line)
    const isFree =
      line.waiting.size === 0 && line.running < line.max && this.#running < this.#limits.atOnceMax
    if (isFree) this.#begin(line)
    else await this.#wait(line, gone)
    return () => this.#end(name, line)
  }

  #maxOf({ account }: Asker['key'], kind: QuestionKind): number {
    if (kind === 'export') return EXPORT_PAGES_MAX
    if (kind === 'dryRun') return this.#limits.dryRunsMax
    return account === undefined ? this.#limits.unboundMax : this.#limits.boundMax
  }

  #wait(line: Line, gone: AbortSignal): Promise<void> {
    if (line.waiting.size >= QUESTIONS_WAITING_MAX) throw tooMany(line.max)
    return new Promise((resolve, reject) => {
      const leave = () => {
        line.waiting.delete(waiting)
        clearTimeout(timer)
        gone.removeEventListener('abort', giveUp)
      }
      const giveUp = () => {
        leave()
        reject(gone.reason as Error)
      }
      const timer = setTimeout(() => {
        leave()
        reject(tooMany(line.max))
      }, QUESTION_WAIT_MS)
      const waiting: Waiting = {
        start: () => {
          leave()
          this.#begin(line)
          resolve()
        },
      }
      gone.addEventListener('abort', giveUp, { once: true })
      line.waiting.add(waiting)
    })
  }

  #begin(line: Line): void {
    line.running++
    this.#running++
  }

  #end(name: string, line: Line): void {
    line.running--
    this.#running--
    this.#startNext()
    if (line.running === 0 && line.waiting.size === 0) this.#lines.delete(name)
  }

  /** Whose turn it is begins, and is the last one from then on. */
  #startNext(): void {
    while (this.#running < this.#limits.atOnceMax) {
      const next = [...this.#lines].find(([, { running, max, waiting }]) => waiting.size > 0 && running < max)
      if (next === undefined) return
      const [name, line] = next
      this.#lines.delete(name)
      this.#lines.set(name, line)
      const [first] = line.waiting
      first!.start()
    }
  }
}

function tooMany(max: number): HttpProblem {
  const detail = `More questions of this key wait than are answered at once (${max}): wait for answers, then ask again.`
  return new HttpProblem('request/too_many_questions', detail, { 'retry-after': String(RETRY_AFTER_SECONDS) })
}
